#include "bench/statistics.hpp"

#include "support/catch.hpp"

namespace jackal::bench {

TEST_CASE("of few iterations the percentiles are values that were measured") {
  CHECK(spread({5, 1, 3}) == Spread{3, 1, 5});
  CHECK(spread({4, 1, 2, 8}) == Spread{3, 1, 8});
  CHECK(spread({7}) == Spread{7, 7, 7});
  CHECK(spread({}) == Spread{});
}

TEST_CASE("of a thousand iterations one in a hundred takes longer than p99") {
  std::vector<double> times;
  for (int i = 1000; i > 0; --i) times.push_back(i);
  CHECK(spread(times) == Spread{500.5, 100, 990});
}

TEST_CASE("iterations fill the time, within bounds") {
  CHECK(iterations_for(1000, 10, 5, 500) == 100);
  CHECK(iterations_for(1000, 400, 5, 500) == 5);
  CHECK(iterations_for(1000, 0.1, 5, 500) == 500);
  CHECK(iterations_for(1000, 0, 5, 500) == 500);
}

}  // namespace jackal::bench
