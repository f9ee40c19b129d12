// The same calls with ranks that are threads of one process: what the thread sanitizer looks at.
#include <map>

#include "collectives/matrix/jobs.hpp"
#include "collectives/matrix/mix.hpp"
#include "support/catch.hpp"

using matrix::Case;
using matrix::Layout;
using matrix::Ranks;

namespace {

constexpr int kMostRanks = 4;

void check(Layout layout, int ranks, const std::function<void(jackal::Group&, matrix::Diary&)>& body) {
  INFO(matrix::name_of(layout) << ", " << ranks << " ranks");
  const ranks::Directory directory;
  const auto problems = matrix::problems_of(Ranks::threads, matrix::job(layout, ranks, directory), body);
  CHECK(problems == std::vector<std::string>{});
}

}  // namespace

TEST_CASE("a covering selection is right among threads") {
  const Layout layout = GENERATE(from_range(matrix::layouts()));
  std::map<int, std::vector<Case>> by_ranks;
  for (const auto& placed : matrix::selected(kMostRanks, 1, 3))
    if (placed.call.count <= 20000) by_ranks[placed.ranks].push_back(placed.call);
  for (const auto& [ranks, cases] : by_ranks)
    check(layout, ranks, [&cases = cases](jackal::Group& group, matrix::Diary& diary) {
      matrix::play_all(group, cases, diary);
    });
}

TEST_CASE("operations at random are right among threads") {
  const Layout layout = GENERATE(from_range(matrix::layouts()));
  const int ranks = GENERATE(2, 3, 4);
  check(layout, ranks, [ranks, layout](jackal::Group& group, matrix::Diary& diary) {
    matrix::mix(group, {static_cast<std::uint64_t>(ranks), 30, 30000, matrix::cabled(layout)}, diary);
  });
}

TEST_CASE("groups of one process work side by side, a thread each") {
  const ranks::Directory directory;
  const ranks::Job job = matrix::job(Layout::shm, 2, directory);
  const auto problems =
      matrix::problems_of(Ranks::threads, job, [](jackal::Group& group, matrix::Diary& diary) {
        std::vector<jackal::Group> parts;
        for (int i = 0; i < 3; ++i) parts.push_back(group.split(0, group.rank()));
        std::vector<matrix::Diary> diaries(parts.size());
        ranks::as_threads(static_cast<int>(parts.size()), [&](int i) {
          const auto part = static_cast<std::size_t>(i);
          matrix::mix(parts[part], {static_cast<std::uint64_t>(i) + 50, 20, 20000, false}, diaries[part]);
        });
        diary.begin("three groups at once");
        std::string problem;
        for (const auto& found :
             matrix::problems({diaries[0].text(), diaries[1].text(), diaries[2].text()}, {"", "", ""}))
          if (found.find("other bits") == std::string::npos && found.find("things") == std::string::npos)
            problem = found;
        diary.done({0, problem});
      });
  CHECK(problems == std::vector<std::string>{});
}
