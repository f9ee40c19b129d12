#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>
#include <thread>

#include "collectives/ranks.hpp"
#include "collectives/shm_calls.hpp"
#include "support/catch.hpp"
#include "transports/shm/layout.hpp"
#include "transports/shm/memory.hpp"

using jackal::collectives::Operation;
namespace shm = jackal::collectives::shm;
using namespace shm_test;

namespace {

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const jc::Error& error) {
    return error.what();
  }
  return "threw nothing";
}

jc::Call sum_of(std::size_t count) {
  return {Operation::all_reduce, jc::Op::sum, jc::Dtype::float32, count, -1, 0};
}

std::string list(const std::vector<int>& ranks) {
  std::string text;
  for (const int rank : ranks) text += std::to_string(rank) + " ";
  return text;
}

std::size_t shared_files() {
  std::size_t found = 0;
  if (!std::filesystem::exists("/dev/shm")) return 0;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm"))
    found += entry.path().filename().string().find("jackal") != std::string::npos ? 1U : 0U;
  return found;
}

// Writes all of `bytes` to one end of a channel while the other end is read by `drain`.
void write_all(jc::Channel& channel, const std::string& bytes) {
  std::string copy = bytes;
  for (std::size_t done = 0; done < copy.size();) {
    const iovec pieces[2] = {
        {copy.data() + done, std::min<std::size_t>(7, copy.size() - done)},
        {copy.data() + std::min(done + 7, copy.size()), copy.size() - std::min(done + 7, copy.size())}};
    const std::size_t taken = channel.write(pieces);
    if (taken == 0) std::this_thread::yield();
    done += taken;
  }
}

std::string read_all(jc::Channel& channel, std::size_t size, bool peeks) {
  std::string got;
  while (got.size() < size) {
    char chunk[1000];
    std::size_t now = 0;
    if (peeks) {
      const auto ready = channel.peek(sizeof chunk);
      now = ready.size();
      if (now > 0) got.append(reinterpret_cast<const char*>(ready.data()), now);
      channel.consume(now);
    } else {
      now = channel.read(chunk, std::min(sizeof chunk, size - got.size()));
      got.append(chunk, now);
    }
    if (now == 0) std::this_thread::yield();
  }
  return got;
}

std::string long_text(int seed) {
  std::string text(1000003, ' ');
  for (std::size_t i = 0; i < text.size(); ++i)
    text[i] = static_cast<char>((i * 31 + static_cast<std::size_t>(seed)) >> 3);
  return text;
}

}  // namespace

TEST_CASE("shm: ranks that may not share memory are left out", "[shm]") {
  Meeting meeting(4);
  const auto reports = ranks::fork_and_run(4, [&](int rank) {
    const auto domain = meeting.meet(rank, rank != 2);
    return list(domain->members()) + domain->trouble();
  });
  CHECK(reports == std::vector<std::string>{"0 1 3 ", "0 1 3 ", "2 ", "0 1 3 "});
}

TEST_CASE("shm: ranks of different hosts do not share memory", "[shm]") {
  Meeting meeting(3);
  const auto reports = ranks::fork_and_run(3, [&](int rank) {
    const auto domain = jc::ShmDomain::meet(rank, {"a", "b", "a"}, true, meeting.share_of(rank));
    return list(domain->members());
  });
  CHECK(reports == std::vector<std::string>{"0 2 ", "1 ", "0 2 "});
}

TEST_CASE("shm: memory that is not the one meant is not opened", "[shm]") {
  const shm::Memory memory = shm::Memory::create(1);
  shm::Place wrong = memory.place();
  wrong.token[0] += 2;
  std::string why;
  CHECK(shm::open(wrong, why) == nullptr);
  CHECK(!why.empty());
  wrong.descriptor = STDIN_FILENO;
  CHECK(shm::open(wrong, why) == nullptr);
  CHECK(shm::open(memory.place(), why) == memory.mapping());
}

TEST_CASE("shm: calls that differ are reported on every rank with both sides", "[shm]") {
  const auto [slow, fast] =
      GENERATE(std::pair<std::size_t, std::size_t>{2, 3}, std::pair<std::size_t, std::size_t>{5, 500000},
               std::pair<std::size_t, std::size_t>{300000, 500000});
  const std::size_t one = slow;
  const std::size_t other = fast;
  const auto reports = in_threads(3, [&](Rank& rank) {
    std::vector<float> in(500000);
    std::vector<float> out(500000);
    rank.run(sum_of(1), in.data(), out.data());
    return error_of([&] { rank.run(sum_of(rank.rank() == 1 ? one : other), in.data(), out.data()); });
  });
  for (const std::string& report : reports) {
    CHECK(report.find("all_sum of " + std::to_string(one) + " float32 as its call 2") != std::string::npos);
    CHECK(report.find("all_sum of " + std::to_string(other) + " float32 as its call 2") != std::string::npos);
  }
}

TEST_CASE("shm: a rank that dies in the middle of an operation ends the others, and leaves nothing",
          "[shm]") {
  const std::size_t count = GENERATE(1U, 3000000U);
  Meeting meeting(3);
  const auto reports = ranks::fork_and_run(3, [&](int rank) {
    Rank self(meeting, rank);
    std::vector<float> in(count, 1.0F);
    std::vector<float> out(count);
    return error_of([&] {
      for (int calls = 0;; ++calls) {
        self.run(sum_of(count), in.data(), out.data());
        if (rank != 1 || calls < 3) continue;
        meeting.bury(1);
        ::raise(SIGKILL);
      }
    });
  });
  CHECK(reports == std::vector<std::string>{"rank 1 is gone", "signal 9", "rank 1 is gone"});
  CHECK(shared_files() == 0);
}

TEST_CASE("shm: after an error the domain can be destroyed, and the others get theirs", "[shm]") {
  Meeting meeting(2);
  const auto reports = ranks::fork_and_run(2, [&](int rank) {
    Rank self(meeting, rank);
    std::vector<float> data(100000);
    if (rank == 0) meeting.bury(0);
    return error_of([&] {
      for (;;) self.run(sum_of(rank == 0 ? 0 : data.size()), data.data(), data.data());
    });
  });
  CHECK(reports[0] != "threw nothing");
  CHECK(reports[1] != "threw nothing");
}

TEST_CASE("shm: a late rank is waited for", "[shm]") {
  const auto reports = in_processes(2, [](Rank& rank) {
    if (rank.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(60));
    return carry_out(rank,
                     {Operation::all_gather, jc::Dtype::int32, jc::Op::sum, 5, 0, Where::ordinary, 0, 1});
  });
  CHECK(reports == std::vector<std::string>(2));
}

TEST_CASE("shm: buffers come and go, and new ones are not taken for old ones", "[shm]") {
  const auto reports = in_processes(2, [](Rank& rank) {
    rank.domain().set_limits({});
    std::vector<std::shared_ptr<void>> kept;
    for (unsigned i = 0; i < 300; ++i) {
      if (i % 2 == 0) kept.push_back(rank.domain().allocate(4096));  // more than others are told of
      if (i % 100 == 99) kept.clear();
      const std::string wrong = carry_out(
          rank, {Operation::all_reduce, jc::Dtype::float32, jc::Op::sum, 20000 + i, 0, Where::buffers, 0, i});
      if (!wrong.empty()) return wrong;
    }
    return std::string();
  });
  CHECK(reports == std::vector<std::string>(2));
}

TEST_CASE("shm: a buffer may outlive its domain", "[shm]") {
  Meeting meeting(1);
  auto domain = meeting.meet(0);
  const auto buffer = domain->allocate(100000);
  domain.reset();
  std::memset(buffer.get(), 1, 100000);
  CHECK(static_cast<const char*>(buffer.get())[99999] == 1);
}

TEST_CASE("shm: a buffer that cannot be had is an error", "[shm]") {
  Meeting meeting(1);
  const auto domain = meeting.meet(0);
  CHECK_THROWS_AS(domain->allocate(std::size_t{1} << 62), jc::Error);
  CHECK_THROWS_AS(domain->allocate(~std::size_t{0}), jc::Error);
}

TEST_CASE("shm: channels carry bytes both ways, in order, on both lanes", "[shm]") {
  const bool peeks = GENERATE(false, true);
  const auto reports = in_processes(2, [&](Rank& rank) {
    const int other = 1 - rank.rank();
    for (int lane = 0; lane < 2; ++lane) {
      jc::Channel& channel = rank.domain().channel(other, lane);
      CHECK(channel.interest().descriptor == -1);
      if (rank.rank() == lane) {
        write_all(channel, long_text(lane));
        if (read_all(channel, 1000003, peeks) != long_text(lane + 5)) return std::string("wrong answer");
      } else {
        if (read_all(channel, 1000003, peeks) != long_text(lane)) return std::string("wrong bytes");
        write_all(channel, long_text(lane + 5));
      }
    }
    return std::string();
  });
  CHECK(reports == std::vector<std::string>(2));
}

TEST_CASE("shm: a channel's counters are not trusted", "[shm]") {
  const auto reports = in_threads(2, [](Rank& rank) {
    if (rank.rank() == 0) {
      jc::Channel& channel = rank.domain().channel(1, 0);
      const char byte = 'x';
      const iovec piece = {const_cast<char*>(&byte), 1};
      channel.write({&piece, 1});
      channel.consume(std::size_t{1} << 40);  // as a peer gone mad would
    }
    rank.run({Operation::barrier, jc::Op::sum, jc::Dtype::uint8, 0, -1, 0}, nullptr, nullptr);
    if (rank.rank() == 0) return std::string();
    jc::Channel& channel = rank.domain().channel(0, 0);
    const char byte = 'y';
    const iovec piece = {const_cast<char*>(&byte), 1};
    try {
      channel.write({&piece, 1});
    } catch (const jc::Broken&) {
      return std::string("broken");
    }
    return std::string("not noticed");
  });
  CHECK(reports == std::vector<std::string>{"", "broken"});
}

TEST_CASE("shm: the segment stays within its budget", "[shm]") {
  for (const std::size_t members : {2U, 3U, 4U, 8U, 16U, 64U}) {
    const shm::Layout layout(members);
    INFO(members << " members");
    CHECK(layout.bytes() <= members * (std::size_t{8} << 20));
    CHECK(layout.part_bytes() % 64 == 0);
    CHECK(layout.slot_bytes() >= sizeof(shm::Post));
  }
  CHECK(shm::Layout(8).bytes() <= std::size_t{22} << 20);
}

TEST_CASE("shm: it says how it would carry out a call", "[shm]") {
  const auto reports = in_processes(2, [](Rank& rank) { return rank.domain().explain(sum_of(2)); });
  CHECK(reports[0] == reports[1]);
  CHECK(reports[0].find("all_sum of 2 float32: ") == 0);
}
