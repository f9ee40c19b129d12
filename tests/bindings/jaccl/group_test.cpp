// Groups without RDMA, and what their ranks see when a call is wrong or a rank is lost.
#include <signal.h>

#include <atomic>

#include "collectives/ranks.hpp"
#include "jaccl/types.h"
#include "jobs.hpp"
#include "operations.hpp"
#include "support/catch.hpp"

using jaccl::Group;
using jobs::contains;
using jobs::Environment;
using jobs::without_rdma;
using operations::Place;

TEST_CASE("every operation is right on every type over TCP, in place and not") {
  const Environment environment(without_rdma("tcp"));
  jobs::run(jobs::config(GENERATE(2, 3, 4)), operations::check_all_sizes);
  SUCCEED();
}

TEST_CASE("every operation is right on every type in shared memory, in place and not") {
  const Environment environment(without_rdma("auto"));
  jobs::run(jobs::config(3), operations::check_all_sizes);
  SUCCEED();
}

TEST_CASE("every operation is right in place by way of a ring, too") {
  jobs::Variables variables = without_rdma("tcp");
  variables["JACKAL_ALGORITHM"] = "ring";
  const Environment environment(variables);
  jobs::run(jobs::config(3), operations::check_all_sizes);
  SUCCEED();
}

TEST_CASE("rings, rings that are preferred and matrices without devices do without RDMA, too") {
  const Environment environment(without_rdma("tcp"));
  jobs::run(jobs::config(jobs::ring(4, 2)), operations::check_all_sizes);
  jobs::run(jobs::config(4).prefer_ring(), operations::check_all_sizes);
  jobs::run(jobs::config(jobs::ring(3, 0)), operations::check_all_sizes);
  SUCCEED();
}

TEST_CASE("a job that insists on RDMA does not do without") {
  const Environment environment(without_rdma("verbs"));
  const std::string why = jobs::thrown([] { jobs::run(jobs::config(2), [](Group&) {}); });
  CAPTURE(why);
  CHECK(contains(why, "JACKAL_TRANSPORT=verbs asks for RDMA"));
  CHECK(contains(why, "/nowhere/libibverbs.so"));
}

TEST_CASE("ranks know who they are and how many") {
  const Environment environment(without_rdma("auto"));
  std::atomic<int> ranks = 0;
  jobs::run(jobs::config(3), [&](Group& group) {
    ranks += 1 << group.rank();
    if (group.size() != 3) throw std::runtime_error("wrong size");
  });
  CHECK(ranks == 7);
}

TEST_CASE("nothing is read or written where there are no bytes") {
  const Environment environment(without_rdma(GENERATE("tcp", "auto")));
  jobs::run(jobs::config(2), [](Group& group) {
    group.all_sum(nullptr, nullptr, 0, jaccl::Float32);
    group.all_max(nullptr, nullptr, 0, jaccl::Complex64);
    group.all_gather(nullptr, nullptr, 0);
    group.sum_scatter(nullptr, nullptr, 0, jaccl::Int8);
    if (group.rank() == 0) group.send(nullptr, 0, 1);
    if (group.rank() == 1) group.recv(nullptr, 0, 0);
  });
  SUCCEED();
}

TEST_CASE("no rank leaves a barrier before the last has come") {
  const Environment environment(without_rdma(GENERATE("tcp", "auto")));
  std::atomic<int> come = 0;
  jobs::run(jobs::config(4), [&](Group& group) {
    for (int round = 1; round <= 50; ++round) {
      ++come;
      group.barrier();
      if (come < 4 * round) throw std::runtime_error("a rank is missing");
      group.barrier();
    }
  });
  CHECK(come == 200);
}

TEST_CASE("complex numbers are ordered by real, then by imaginary part") {
  const Environment environment(without_rdma("tcp"));
  using Numbers = std::vector<jaccl::complex64_t>;
  jobs::run(jobs::config(2), [](Group& group) {
    const Numbers mine = group.rank() == 0 ? Numbers{{1, 5}, {2, -1}, {3, 9}, {-2, 0}}
                                           : Numbers{{1, 6}, {2, -2}, {4, 0}, {-3, 7}};
    Numbers most(4), least(4);
    group.all_max(mine.data(), most.data(), sizeof(mine[0]) * 4, jaccl::Complex64);
    group.all_min(mine.data(), least.data(), sizeof(mine[0]) * 4, jaccl::Complex64);
    if (most != Numbers{{1, 6}, {2, -1}, {4, 0}, {-2, 0}}) throw std::runtime_error("wrong maximum");
    if (least != Numbers{{1, 5}, {2, -2}, {3, 9}, {-3, 7}}) throw std::runtime_error("wrong minimum");
  });
  SUCCEED();
}

TEST_CASE("a killed rank ends the others' calls with an error that names it") {
  const Environment environment(without_rdma(GENERATE("tcp", "auto")));
  const jaccl::Config config = jobs::config(3);
  const auto reports = ranks::fork_and_run(3, [&](int rank) {
    const auto group = jaccl::init(jaccl::Config(config).set_rank(rank), true);
    std::vector<float> data(300'000, 1);
    return jobs::thrown([&] {
      for (int round = 0;; ++round) {
        if (round == 3 && rank == 1) ::raise(SIGKILL);
        group->all_sum(data.data(), data.data(), data.size() * sizeof(float), jaccl::Float32);
      }
    });
  });
  CHECK(reports[1] == "signal 9");
  for (const std::size_t rank : {0U, 2U}) {
    CAPTURE(reports[rank]);
    CHECK(contains(reports[rank], "rank 1"));
    CHECK_FALSE(contains(reports[rank], "too late"));
  }
}

TEST_CASE("a peer that is killed before its message ends recv") {
  const Environment environment(without_rdma("tcp"));
  const jaccl::Config config = jobs::config(2);
  const auto reports = ranks::fork_and_run(2, [&](int rank) {
    const auto group = jaccl::init(jaccl::Config(config).set_rank(rank), true);
    if (rank == 1) ::raise(SIGKILL);
    int number = 0;
    return jobs::thrown([&] { group->recv(&number, sizeof number, 1); });
  });
  CAPTURE(reports[0]);
  CHECK(contains(reports[0], "rank 1"));
  CHECK_FALSE(contains(reports[0], "too late"));
}

TEST_CASE("what cannot be carried out is refused, and the group lives on") {
  const Environment environment(without_rdma("tcp"));
  jobs::run(jobs::config(2), [](Group& group) {
    std::vector<float> data(4, 1);
    const auto refused = [&](const std::string& part, const std::function<void()>& call) {
      const std::string why = jobs::thrown(call);
      if (!contains(why, part)) throw std::runtime_error("\"" + why + "\" does not say " + part);
    };
    refused("no element type 14", [&] { group.all_sum(data.data(), data.data(), 8, 14); });
    refused("no element type -1", [&] { group.all_sum(data.data(), data.data(), 8, -1); });
    refused("7 bytes are no whole number of elements of 4 bytes",
            [&] { group.all_sum(data.data(), data.data(), 7, jaccl::Float32); });
    refused("no whole number", [&] { group.sum_scatter(data.data(), data.data(), 3, jaccl::Int16); });
    refused("there is no rank", [&] { group.send(data.data(), 4, 2); });
    refused("there is no rank", [&] { group.recv(data.data(), 4, -1); });
    operations::check_all(group, 10, Place::apart);
  });
  SUCCEED();
}

TEST_CASE("calls that differ are an error on every rank") {
  const Environment environment(without_rdma("tcp"));
  std::atomic<int> told = 0;
  jobs::run(jobs::config(3), [&](Group& group) {
    std::vector<float> data(8, 1);
    const std::size_t bytes = group.rank() == 1 ? 16 : 32;
    const std::string why = jobs::thrown([&] {
      group.barrier();
      group.all_sum(data.data(), data.data(), bytes, jaccl::Float32);
    });
    if (contains(why, "4 float32") && contains(why, "8 float32")) ++told;
  });
  CHECK(told == 3);
}
