// How a group ends on purpose, and what is known about it until then.
#include <atomic>
#include <thread>

#include "collectives/ranks.hpp"
#include "support/catch.hpp"

using jackal::Code;
using jackal::Dtype;
using jackal::Group;
using jackal::Handle;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

ranks::Job job_over(const char* transport, int size) {
  return ranks::Job(size, {{"JACKAL_TRANSPORT", transport}});
}

void check_aborted(const std::optional<jackal::Error>& error) {
  REQUIRE(error);
  CHECK(error->code() == Code::aborted);
  CHECK(error->rank() == 1);
  CHECK(contains(error->what(), "rank 1 "));
  CHECK(contains(error->what(), "has ended the group by abort()"));
}

}  // namespace

TEST_CASE("abort from another thread ends the calls of all ranks, its own too") {
  const char* transport = GENERATE("shm", "tcp");
  const auto errors = ranks::errors(job_over(transport, 3), [](Group& group) {
    group.barrier();
    if (group.rank() == 2) {
      // Waits for a message that nobody sends.
      int word = 0;
      group.recv(&word, 1, Dtype::int32, 0);
    }
    std::thread other;
    if (group.rank() == 1) other = std::thread([&group] { group.abort(); });
    try {
      for (;;) group.barrier();
    } catch (...) {
      if (other.joinable()) other.join();
      throw;
    }
  });
  for (const auto& error : errors) check_aborted(error);
}

TEST_CASE("abort ends asynchronous operations, and later calls say why") {
  const char* transport = GENERATE("shm", "tcp");
  const auto errors = ranks::errors(job_over(transport, 2), [](Group& group) {
    int word = 0;
    Handle message = group.recv_async(&word, 1, Dtype::int32, 1 - group.rank());
    if (group.rank() == 1) group.abort();
    Handle barrier = group.barrier_async();
    for (Handle* handle : {&message, &barrier}) {
      try {
        handle->wait();
        throw std::runtime_error("no error");
      } catch (const jackal::Error& error) {
        if (error.code() != Code::aborted) throw;
      }
    }
    group.barrier();
  });
  for (const auto& error : errors) check_aborted(error);
}

TEST_CASE("a rank that leaves without having sent is lost to who waits for its message") {
  const char* transport = GENERATE("shm", "tcp");
  const auto errors = ranks::errors(job_over(transport, 3), [](Group& group) {
    int word = 7;
    if (group.rank() == 1) group.send(&word, 1, Dtype::int32, 0, 5);
    if (group.rank() != 0) return;
    group.recv(&word, 1, Dtype::int32, 1, 5);  // what was sent before is still there
    group.recv(&word, 1, Dtype::int32, 1, 5);
  });
  REQUIRE(errors[0]);
  CHECK(errors[0]->code() == Code::peer_lost);
  CHECK(errors[0]->rank() == 1);
  CHECK(contains(errors[0]->what(), "recv of 1 int32 from rank 1 with tag 5: rank 1 "));
  CHECK(contains(errors[0]->what(), "has left the group"));
  CHECK_FALSE(errors[1]);
  // It has nothing to lose but its start, if that is not over when the group ends.
  if (errors[2]) CHECK(std::string(errors[2]->what()) == errors[0]->what());
}

TEST_CASE("ranks may leave while others still finish the same call") {
  const char* transport = GENERATE("shm", "tcp");
  for (int round = 0; round < 10; ++round)
    ranks::run(job_over(transport, 4), [&](Group& group) {
      std::vector<float> data(100000, 1.0F);
      if (group.rank() == 3 && round % 5 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1500));
      std::vector<float> all(400000);
      group.gather(data.data(), all.data(), data.size(), Dtype::float32, 0);
    });
  SUCCEED();
}

TEST_CASE("what a group has done is counted") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(job_over(transport, 2), [](Group& group) {
    std::vector<float> data(1000);
    group.all_sum(data, data);
    if (group.rank() == 0) group.send(data, 1);
    if (group.rank() == 1) group.recv(data, 0);
    group.barrier_async().wait();
    const jackal::Stats stats = group.stats();
    const bool sender = group.rank() == 0;
    if (stats.calls != 3) throw std::runtime_error("calls");
    if (stats.bytes_sent < (sender ? 8000U : 4000U)) throw std::runtime_error("sent");
    if (stats.bytes_received < (sender ? 4000U : 8000U)) throw std::runtime_error("received");
    if (stats.memory_bytes == 0 || stats.memory_bytes > (64U << 20)) throw std::runtime_error("memory");
  });
}

TEST_CASE("buffers of a group are memory like any other, before and after it") {
  const char* transport = GENERATE("shm", "tcp");
  std::vector<std::optional<jackal::Buffer>> kept(2);
  ranks::run(job_over(transport, 2), [&](Group& group) {
    jackal::Buffer in(group, 1 << 20);
    jackal::Buffer out(group, 1 << 20);
    jackal::Buffer none(group, 0);
    const auto from = in.as<int>();
    const auto to = out.as<int>();
    if (from[5] != 0 || from.size() != (1U << 18) || none.size() != 0) throw std::runtime_error("not zeroed");
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<int>(i) + group.rank();
    group.all_sum(from, to);
    for (std::size_t i = 0; i < to.size(); ++i)
      if (to[i] != 2 * static_cast<int>(i) + 1) throw std::runtime_error("wrong sum");
    kept[static_cast<std::size_t>(group.rank())] = std::move(out);
  });
  CHECK(kept[0]->as<int>()[3] == 7);
  CHECK(kept[1]->as<int>()[3] == 7);
}

TEST_CASE("how a call would be carried out can be asked") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(job_over(transport, 3), [](Group& group) {
    if (group.explain("all_sum", 1 << 20).empty() || group.explain("barrier", 0).empty())
      throw std::runtime_error("no explanation");
    try {
      group.explain("all_some", 8);
      throw std::runtime_error("not refused");
    } catch (const jackal::Error& error) {
      if (error.code() != Code::invalid_argument) throw;
    }
  });
}
