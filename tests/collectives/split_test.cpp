// Groups out of groups.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include "collectives/ranks.hpp"
#include "support/catch.hpp"

using jackal::Code;
using jackal::Group;

namespace {

void require(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(what);
}

ranks::Job job_over(const char* transport, int size) {
  return ranks::Job(size, {{"JACKAL_TRANSPORT", transport}});
}

int sum(Group& group, int mine) {
  group.all_sum(&mine, &mine, 1, jackal::Dtype::int32);
  return mine;
}

// This process opens no more descriptors from now on.
void refuse_descriptors() {
  const int next = ::dup(STDERR_FILENO);
  ::close(next);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = static_cast<rlim_t>(next);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// What a rank of four reports of a split in which rank 3 has a fault.
std::string split_beside(const ranks::Job& job, int rank, const std::function<void()>& fault) {
  Group group = jackal::init(job.options(rank));
  if (rank == 3) fault();
  const auto begun = std::chrono::steady_clock::now();
  try {
    group.split(0, 0, {.timeout = std::chrono::seconds(45)});
    return "no error";
  } catch (const jackal::Error& error) {
    const bool soon = std::chrono::steady_clock::now() - begun < std::chrono::seconds(15);
    return std::string(soon ? "soon: " : "late: ") + jackal::code_name(error.code()) + ": " + error.what();
  }
}

}  // namespace

TEST_CASE("ranks of one colour are a group, in the order of their keys") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(job_over(transport, 5), [](Group& group) {
    const int rank = group.rank();
    Group part = group.split(rank % 2, -rank);
    require(part.size() == (rank % 2 == 0 ? 3 : 2), "size");
    require(part.rank() == (rank % 2 == 0 ? (4 - rank) / 2 : (3 - rank) / 2), "order");
    require(sum(part, rank) == (rank % 2 == 0 ? 6 : 4), "sum of the part");
    require(sum(group, rank) == 10, "sum of all");
    Group alone = group.split(rank, 0);
    require(alone.size() == 1 && alone.rank() == 0, "alone");
    Group same = group.split(0, 0);
    require(same.size() == 5 && same.rank() == rank, "equal keys");
    Group half = part.split(part.rank() == 0 ? 1 : 0, 0);
    require(sum(half, 1) == half.size(), "a part of a part");
  });
}

TEST_CASE("a part outlives the group that it came from") {
  ranks::run(ranks::Job(3), [](Group& group) {
    std::optional<Group> all = std::move(group);
    Group part = all->split(all->rank() == 1 ? 1 : 0, 0);
    all.reset();
    require(sum(part, 1) == part.size(), "sum");
  });
}

TEST_CASE("a group and its part may be used from two threads at once") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(job_over(transport, 3), [](Group& group) {
    Group part = group.split(0, 0);
    std::exception_ptr thrown;
    std::thread other([&] {
      try {
        for (int i = 0; i < 100; ++i) require(sum(part, i) == 3 * i, "part");
      } catch (...) {
        thrown = std::current_exception();
      }
    });
    for (int i = 0; i < 100; ++i) require(sum(group, 1) == 3, "all");
    other.join();
    if (thrown) std::rethrow_exception(thrown);
  });
}

TEST_CASE("a negative colour is refused, and the group lives on") {
  ranks::run(ranks::Job(2), [](Group& group) {
    try {
      group.split(-1, 0);
      throw std::runtime_error("not refused");
    } catch (const jackal::Error& error) {
      require(error.code() == Code::invalid_argument, "another error");
    }
    group.barrier();
  });
}

TEST_CASE("a part that fails leaves the group as it was") {
  ranks::run(ranks::Job(4), [](Group& group) {
    Group part = group.split(group.rank() / 2, 0);
    if (group.rank() == 0) part.abort();
    try {
      part.barrier();
      require(group.rank() >= 2, "no error");
    } catch (const jackal::Error& error) {
      require(group.rank() < 2 && error.code() == Code::aborted && error.rank() == 0, "another error");
    }
    require(sum(group, 1) == 4, "sum of all");
  });
}

TEST_CASE("a rank that cannot meet its part ends the split of the others at once") {
  const char* transport = GENERATE("shm", "tcp");
  const ranks::Job job = job_over(transport, 4);
  const std::vector<std::string> reports =
      ranks::fork_and_run(4, [&](int rank) { return split_beside(job, rank, refuse_descriptors); });
  for (const std::string& report : reports) {
    INFO(report);
    CHECK(report.starts_with("soon: "));
    CHECK(report.find("Too many open files") != std::string::npos);
  }
}
