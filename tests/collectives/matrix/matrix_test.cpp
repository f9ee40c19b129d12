// Every operation × type × op × size × ranks × algorithm × transport, held against the plain reference, with
// ranks as processes: a selection that has every pair of values, then operations drawn at random for
// JACKAL_TEST_SECONDS from JACKAL_TEST_SEED on; under the tag [.long] all of it up to three ranks, and of
// what takes hours with more ranks than cores a part that is another one in every group.
#include <chrono>
#include <map>
#include <numeric>

#include "collectives/matrix/jobs.hpp"
#include "collectives/matrix/mix.hpp"
#include "support/catch.hpp"
#include "support/rounds.hpp"

using matrix::Case;
using matrix::Dtype;
using matrix::Layout;
using matrix::Op;
using matrix::Ranks;
using matrix::Values;

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMostRanks = 8;

std::string title(Layout layout, int ranks) {
  return std::string(matrix::name_of(layout)) + ", " + std::to_string(ranks) + " ranks";
}

// One case in so many: with more ranks than cores a call takes that much longer.
std::uint64_t thinned(int ranks) {
  if (ranks <= 3) return 1;
  return ranks <= 5 ? 4 : 8;
}

void check(Layout layout, int ranks, const std::vector<Case>& cases, std::chrono::seconds limit) {
  INFO(title(layout, ranks));
  const ranks::Directory directory;
  const auto problems = matrix::problems_of(
      Ranks::processes, matrix::job(layout, ranks, directory),
      [&](jackal::Group& group, matrix::Diary& diary) { matrix::play_all(group, cases, diary); }, limit);
  CHECK(problems == std::vector<std::string>{});
}

}  // namespace

TEST_CASE("a covering selection of the whole matrix is right") {
  const auto& layouts = matrix::layouts();
  std::map<std::pair<int, int>, std::vector<Case>> by_group;
  for (const auto& placed : matrix::selected(kMostRanks, static_cast<int>(layouts.size()), 1))
    by_group[{placed.layout, placed.ranks}].push_back(placed.call);
  CHECK(by_group.size() == layouts.size() * kMostRanks);
  for (const auto& [where, cases] : by_group)
    check(layouts[static_cast<std::size_t>(where.first)], where.second, cases, std::chrono::minutes(2));
}

TEST_CASE("operations at random, mixed, are right") {
  const auto& layouts = matrix::layouts();
  const auto end = Clock::now() + std::chrono::seconds(matrix::setting("JACKAL_TEST_SECONDS", 60));
  const auto first = static_cast<std::uint64_t>(matrix::setting("JACKAL_TEST_SEED", 1));
  for (std::uint64_t seed = first; seed == first || Clock::now() < end; ++seed) {
    const auto choice = matrix::mixed(seed, 0);
    const Layout layout = layouts[choice % layouts.size()];
    const int ranks = static_cast<int>(choice / 64 % kMostRanks) + 1;
    INFO(title(layout, ranks) + ", JACKAL_TEST_SEED=" + std::to_string(seed));
    const ranks::Directory directory;
    const matrix::Mixture mixture = {seed, 100, seed % 8 == 0 ? std::size_t{2000000} : std::size_t{200000},
                                     matrix::cabled(layout)};
    const auto problems = matrix::problems_of(
        Ranks::processes, matrix::job(layout, ranks, directory),
        [&](jackal::Group& group, matrix::Diary& diary) { matrix::mix(group, mixture, diary); });
    REQUIRE(problems == std::vector<std::string>{});
  }
}

TEST_CASE("every operation has the algorithms that its group can carry out") {
  const ranks::Directory directory;
  const auto said = ranks::fork_and_run(4, [&, job = matrix::job(Layout::tcp, 4, directory)](int rank) {
    jackal::Group group = jackal::init(job.options(rank));
    std::string text;
    for (const std::string& name : matrix::algorithms(group, matrix::Operation::all_reduce))
      text += name + " ";
    return text;
  });
  for (const std::string& names : said) {
    CHECK(names == said[0]);
    for (const char* name : {"mesh ", "ring ", "tree "}) CHECK(names.find(name) != std::string::npos);
  }
}

TEST_CASE("floating-point results are the same bits from run to run") {
  const Layout layout = GENERATE(from_range(matrix::layouts()));
  const int ranks = 5;
  INFO(title(layout, ranks));
  std::vector<Case> cases;
  for (const std::size_t count : {7U, 20001U})
    for (const Dtype dtype : {Dtype::float16, Dtype::float32, Dtype::float64, Dtype::complex64})
      for (int algorithm = 1; algorithm < matrix::kMethods; ++algorithm) {
        Case one;
        one.operation = matrix::Operation::all_reduce;
        one.pattern = {count, dtype, Op::sum, Values::any};
        one.count = count;
        one.algorithm = algorithm;
        cases.push_back(one);
      }
  const auto once = [&] {
    const ranks::Directory directory;
    // Otherwise what is measured at the start may choose another algorithm where none is named.
    const ranks::Job job = matrix::job(layout, ranks, directory, {{"JACKAL_DETERMINISTIC", "1"}});
    const auto reports = ranks::as_processes(
        ranks,
        [&](int rank, int report) {
          matrix::Diary diary(report);
          jackal::Group group = jackal::init(job.options(rank));
          matrix::play_all(group, cases, diary);
        },
        std::chrono::minutes(1));
    return reports[0].text;
  };
  const std::string first = once();
  CHECK(std::count(first.begin(), first.end(), '=') == static_cast<std::ptrdiff_t>(cases.size()));
  CHECK(once() == first);
}

TEST_CASE("vectors of many slices are right with every algorithm") {
  const Layout layout = GENERATE(from_range(matrix::layouts()));
  std::vector<Case> cases;
  for (int one = 0; one < matrix::kOperations; ++one)
    for (int algorithm = 0; algorithm < matrix::kMethods; ++algorithm) {
      Case call;
      call.operation = static_cast<matrix::Operation>(one);
      if (algorithm > 0 && !matrix::has_algorithms(call.operation)) continue;
      call.pattern = {static_cast<std::uint64_t>(algorithm), Dtype::float32, Op::sum, Values::exact};
      call.count = (support::kSanitized ? 200003 : 500003) + static_cast<std::size_t>(algorithm);
      call.root = 1;
      call.algorithm = algorithm;
      call.in_place = algorithm % 2 == 0;
      call.async = algorithm % 3 == 0;
      call.offset = 1;
      cases.push_back(call);
    }
  check(layout, 3, cases, std::chrono::minutes(4));
}

TEST_CASE("all of the matrix is right, with many ranks parts of it", "[.long]") {
  const Layout layout = GENERATE(from_range(matrix::layouts()));
  const int ranks = GENERATE(range(1, kMostRanks + 1));
  const auto seed = matrix::mixed(static_cast<std::uint64_t>(layout), static_cast<std::uint64_t>(ranks));
  INFO(title(layout, ranks));
  const ranks::Directory directory;
  const auto problems = matrix::problems_of(
      Ranks::processes, matrix::job(layout, ranks, directory),
      [&](jackal::Group& group, matrix::Diary& diary) {
        matrix::Names names(group);
        const auto methods = [&](matrix::Operation operation) {
          return 1 + static_cast<int>(names.of(operation).size());
        };
        matrix::play_all(group, matrix::all_of(methods, seed, thinned(ranks)), diary);
      },
      std::chrono::hours(1));
  CHECK(problems == std::vector<std::string>{});
}

TEST_CASE("more than 2^31 elements are summed and gathered right", "[.long]") {
  const Layout layout = GENERATE(Layout::shm, Layout::tcp);
  const ranks::Directory directory;
  const ranks::Job job = matrix::job(layout, 2, directory, {{"JACKAL_TIMEOUT", "250"}});
  const auto said = ranks::fork_and_run(
      2,
      [&](int rank) -> std::string {
        jackal::Group group = jackal::init(job.options(rank));
        const std::size_t count = (std::size_t{1} << 31) + 11;
        std::vector<std::uint8_t> data(count);
        for (std::size_t i = 0; i < count; ++i)
          data[i] = static_cast<std::uint8_t>(i / 4099 + i + static_cast<std::size_t>(rank));
        group.all_sum(data, data);
        for (std::size_t i = 0; i < count; ++i)
          if (data[i] != static_cast<std::uint8_t>(2 * (i / 4099 + i) + 1))
            return "sum is wrong at " + std::to_string(i);
        const std::size_t half = count / 2;
        group.all_gather(data.data() + static_cast<std::size_t>(rank) * half, data.data(), half,
                         Dtype::uint8);
        for (std::size_t i = 0; i < 2 * half; ++i)
          if (data[i] != static_cast<std::uint8_t>(2 * (i / 4099 + i) + 1))
            return "gathered wrong at " + std::to_string(i);
        return "right";
      },
      std::chrono::minutes(8));
  CHECK(said == std::vector<std::string>{"right", "right"});
}
