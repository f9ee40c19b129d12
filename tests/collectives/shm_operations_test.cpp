#include <string>
#include <vector>

#include "collectives/shm_calls.hpp"
#include "support/catch.hpp"

using jackal::collectives::Operation;
using jackal::collectives::shm::Limits;
using namespace shm_test;

namespace {

// Every way that a call can be carried out, by limits that leave no other.
struct Way {
  const char* name;
  Limits limits;
};

std::vector<Way> ways() {
  Limits staged;
  staged.slot = 0;
  staged.part = 512;
  Limits staged_whole;
  staged_whole.slot = 100;
  Limits whole = staged;
  whole.whole = jc::shm::kNever;
  Limits no_buffers = staged;
  no_buffers.buffer_from = jc::shm::kNever;
  return {{"by its defaults", Limits{}},
          {"staged in many steps", staged},
          {"staged", staged_whole},
          {"buffers read whole", whole},
          {"buffers as if they were none", no_buffers}};
}

std::string every_operation(Rank& rank, const Limits& limits) {
  rank.domain().set_limits(limits);
  const std::size_t size = rank.size();
  for (int operation = 1; operation <= 10; ++operation)
    for (const Where where : {Where::ordinary, Where::in_place, Where::buffers, Where::buffers_in_place})
      for (const std::size_t count : {0U, 1U, 7U, 64U, 333U, 1500U}) {
        Trial trial;
        trial.operation = static_cast<Operation>(operation);
        trial.where = where;
        trial.count = count;
        trial.root = static_cast<int>(count % size);
        trial.seed = static_cast<unsigned>(count + static_cast<std::size_t>(operation));
        if (std::string wrong = carry_out(rank, trial); !wrong.empty()) return wrong;
      }
  return "";
}

// The limits change with the calls, as their seeds do.
std::string mixed(Rank& rank, std::uint64_t first, std::uint64_t calls, std::size_t most) {
  const auto all = ways();
  for (std::uint64_t seed = first; seed < first + calls; ++seed) {
    rank.domain().set_limits(all[seed % 31 % all.size()].limits);
    if (std::string wrong = carry_out(rank, random_trial(seed, rank.size(), most)); !wrong.empty())
      return std::string(all[seed % 31 % all.size()].name) + ": " + wrong;
  }
  return "";
}

}  // namespace

TEST_CASE("shm: every operation is right in every way, ranks being threads", "[shm]") {
  const std::size_t size = GENERATE(1u, 2u, 3u, 4u, 5u, 8u);
  for (const Way& way : ways()) {
    INFO(size << " ranks, " << way.name);
    const auto reports = in_threads(size, [&](Rank& rank) { return every_operation(rank, way.limits); });
    CHECK(reports == std::vector<std::string>(size));
  }
}

TEST_CASE("shm: every operation is right in every way, ranks being processes", "[shm]") {
  const std::size_t size = GENERATE(2u, 3u);
  for (const Way& way : ways()) {
    INFO(size << " ranks, " << way.name);
    const auto reports = in_processes(size, [&](Rank& rank) { return every_operation(rank, way.limits); });
    CHECK(reports == std::vector<std::string>(size));
  }
}

TEST_CASE("shm: more ranks than one kernel call combines", "[shm]") {
  const std::size_t size = 67;
  const bool large = GENERATE(false, true);
  const auto reports = in_threads(size, [&](Rank& rank) {
    Limits limits;
    limits.slot = large ? 0 : 300;
    limits.whole = 1000;
    rank.domain().set_limits(limits);
    for (const Operation operation : {Operation::all_reduce, Operation::reduce_scatter})
      for (const Where where : {Where::ordinary, Where::in_place, Where::buffers})
        for (const std::size_t count : {3U, 150U}) {
          const Trial trial{operation, jc::Dtype::int32, jc::Op::sum, count, 0, where, 0, 8};
          if (std::string wrong = carry_out(rank, trial); !wrong.empty()) return wrong;
        }
    return std::string();
  });
  CHECK(reports == std::vector<std::string>(size));
}

TEST_CASE("shm: random operations follow one another, ranks being threads", "[shm]") {
  const std::size_t size = GENERATE(2u, 3u, 4u);
  const auto reports = in_threads(size, [](Rank& rank) { return mixed(rank, 1, 250, 3000); });
  CHECK(reports == std::vector<std::string>(size));
}

TEST_CASE("shm: random operations follow one another, ranks being processes", "[shm]") {
  const std::size_t size = GENERATE(2u, 4u);
  const auto reports = in_processes(size, [](Rank& rank) { return mixed(rank, 5000, 250, 3000); });
  CHECK(reports == std::vector<std::string>(size));
}

TEST_CASE("shm: messages larger than everything set aside for them", "[shm]") {
  const std::size_t size = GENERATE(2u, 3u);
  const auto reports = in_processes(size, [](Rank& rank) {
    for (const Where where : {Where::ordinary, Where::in_place, Where::buffers})
      for (int operation = 1; operation <= 9; ++operation) {
        Trial trial;
        trial.operation = static_cast<Operation>(operation);
        trial.where = where;
        trial.count = 1500001;
        if (std::string wrong = carry_out(rank, trial); !wrong.empty()) return wrong;
      }
    return std::string();
  });
  CHECK(reports == std::vector<std::string>(size));
}
