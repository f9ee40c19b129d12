// What the other ranks see when one fails: an error of the right code that names it, on every rank.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "collectives/ranks.hpp"
#include "support/catch.hpp"

using jackal::Code;
using jackal::Group;

namespace {

// Four ranks on four hosts, and four ranks that share the memory of one.
struct Place {
  const char* transport;
  const char* hosts;
  std::string host_of(int rank) const {
    return transport == std::string("tcp") ? std::string(1, static_cast<char>('a' + rank)) : "one";
  }
};
const Place kFour = {"tcp", R"({"hosts": [{"ssh": "a"}, {"ssh": "b"}, {"ssh": "c"}, {"ssh": "d"}]})"};
const Place kOne = {"shm", R"({"hosts": [{"ssh": "one"}, {"ssh": "one"}, {"ssh": "one"}, {"ssh": "one"}]})"};

std::string report(const std::function<void()>& call) {
  try {
    call();
  } catch (const jackal::Error& error) {
    return std::string(jackal::code_name(error.code())) + " " + std::to_string(error.rank()) + " " +
           error.host;
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

ranks::Job job_over(const char* transport, int size) {
  return ranks::Job(size, {{"JACKAL_TRANSPORT", transport}});
}

std::vector<float> numbers(std::size_t count) { return std::vector<float>(count, 1.0F); }

}  // namespace

TEST_CASE("a killed rank ends the others' call with its rank and host") {
  const std::size_t count = GENERATE(std::size_t{1}, std::size_t{3000000});
  const Place& place = GENERATE(0, 1) == 0 ? kFour : kOne;
  const ranks::Directory directory;
  const ranks::Job job(
      4, {{"JACKAL_TRANSPORT", place.transport}, {"JACKAL_HOSTFILE", directory.write("hosts", place.hosts)}});
  const auto reports = ranks::fork_and_run(4, [&](int rank) {
    Group group = jackal::init(job.options(rank));
    std::vector<float> data = numbers(count);
    return report([&] {
      group.all_sum(data, data);
      if (rank == 2) ::raise(SIGKILL);
      group.all_sum(data, data);
    });
  });
  CHECK(reports[0] == "peer_lost 2 " + place.host_of(2));
  CHECK(reports[1] == "peer_lost 2 " + place.host_of(2));
  CHECK(reports[2] == "signal 9");
  CHECK(reports[3] == "peer_lost 2 " + place.host_of(2));
}

TEST_CASE("a rank that is killed while the others wait in a large sum is named, too") {
  const Place& place = GENERATE(0, 1) == 0 ? kFour : kOne;
  const ranks::Directory directory;
  const ranks::Job job(
      4, {{"JACKAL_TRANSPORT", place.transport}, {"JACKAL_HOSTFILE", directory.write("hosts", place.hosts)}});
  const auto reports = ranks::fork_and_run(4, [&](int rank) {
    Group group = jackal::init(job.options(rank));
    std::vector<float> data = numbers(20000000);
    if (rank == 1) ::alarm(1);
    return report([&] {
      for (;;) group.all_sum(data, data);
    });
  });
  CHECK(reports[0] == "peer_lost 1 " + place.host_of(1));
  CHECK(reports[1] == "signal 14");
  CHECK(reports[2] == "peer_lost 1 " + place.host_of(1));
  CHECK(reports[3] == "peer_lost 1 " + place.host_of(1));
}

TEST_CASE("a rank that leaves early is said to have left") {
  const auto errors = ranks::errors(job_over(GENERATE("shm", "tcp"), 3), [](Group& group) {
    group.barrier();
    if (group.rank() == 1) return;
    group.barrier();
  });
  CHECK_FALSE(errors[1]);
  for (const std::size_t rank : {0U, 2U}) {
    REQUIRE(errors[rank]);
    CHECK(errors[rank]->code() == Code::peer_lost);
    CHECK(errors[rank]->rank() == 1);
    CHECK(errors[rank]->operation == "barrier");
    CHECK(contains(errors[rank]->what(), "has left the group"));
  }
}

TEST_CASE("a rank that is done does not disturb those that are not") {
  const char* transport = GENERATE("shm", "tcp");
  for (int round = 0; round < 20; ++round)
    ranks::run(job_over(transport, 4), [](Group& group) {
      std::vector<float> data = numbers(50000);
      group.all_sum(data, data);
    });
  SUCCEED();
}

TEST_CASE("calls that differ are a mismatch on every rank, with both sides' arguments") {
  const auto errors = ranks::errors(job_over(GENERATE("shm", "tcp"), 3), [](Group& group) {
    std::vector<float> data(group.rank() == 1 ? 7 : 5);
    group.all_sum(data, data);
  });
  for (const auto& error : errors) {
    REQUIRE(error);
    CHECK(error->code() == Code::mismatch);
    CHECK(contains(error->what(), "all_sum of 7 float32"));
    CHECK(contains(error->what(), "all_sum of 5 float32"));
  }
}

TEST_CASE("another operation, another type and another order are mismatches") {
  const char* transport = GENERATE("shm", "tcp");
  const auto differs = [transport](const std::function<void(Group&)>& body) {
    for (const auto& error : ranks::errors(job_over(transport, 2), body)) {
      REQUIRE(error);
      CHECK(error->code() == Code::mismatch);
    }
  };
  differs([&](Group& group) {
    std::vector<float> data(400000);
    if (group.rank() == 0) group.barrier();
    group.all_sum(data, data);
  });
  differs([](Group& group) {
    std::uint32_t data = 0;
    group.all_sum(&data, &data, 1, group.rank() == 0 ? jackal::Dtype::float32 : jackal::Dtype::uint32);
  });
  differs([](Group& group) {
    std::uint32_t in = 0;
    std::uint32_t out[2];
    if (group.rank() == 0) {
      group.all_sum(&in, out, 1, jackal::Dtype::uint32);
    } else {
      group.all_gather(&in, out, 1, jackal::Dtype::uint32);
    }
  });
}

TEST_CASE("after an error every call throws the same reason") {
  const auto errors = ranks::errors(job_over(GENERATE("shm", "tcp"), 2), [](Group& group) {
    std::vector<float> data(group.rank() == 1 ? 7 : 5);
    const std::string first = report([&] { group.all_sum(data, data); });
    if (first.substr(0, 8) != "mismatch") throw jackal::Error(Code::internal, first);
    group.barrier();
  });
  for (const auto& error : errors) {
    REQUIRE(error);
    CHECK(error->code() == Code::mismatch);
    CHECK(contains(error->what(), "barrier: the group has ended: the ranks' calls differ"));
  }
}

TEST_CASE("a call that waits too long names who did not come, on every rank") {
  std::atomic<int> waiting = 2;
  const auto errors = ranks::errors(job_over(GENERATE("shm", "tcp"), 3), [&](Group& group) {
    if (group.rank() == 1) {
      while (waiting > 0) std::this_thread::yield();
      group.barrier();
    }
    const std::string text =
        report([&] { group.barrier({.timeout = std::chrono::milliseconds(50)}); }).substr(0, 9);
    --waiting;
    if (text != "timeout 1") throw jackal::Error(Code::internal, text);
    group.barrier();
  });
  for (const auto& error : errors) {
    REQUIRE(error);
    CHECK(error->code() == Code::timeout);
    CHECK(error->rank() == 1);
  }
}
