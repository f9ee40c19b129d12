#include "transports/contention.hpp"

#include "support/catch.hpp"

using jackal::collectives::Clock;
using jackal::collectives::Contention;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

const Clock::time_point kNow = Clock::time_point() + std::chrono::hours(1);

}  // namespace

TEST_CASE("who has the cores alone is told of nobody") {
  Contention contention;
  CHECK_FALSE(contention.present(kNow));
  contention.yielded(kNow, microseconds(1));
  CHECK_FALSE(contention.present(kNow));
}

TEST_CASE("others that return the core are remembered for a while") {
  Contention contention;
  contention.yielded(kNow, microseconds(100));
  CHECK(contention.present(kNow));
  contention.yielded(kNow + milliseconds(10), microseconds(1));
  CHECK(contention.present(kNow + milliseconds(49)));
  CHECK_FALSE(contention.present(kNow + milliseconds(50)));
  contention.yielded(kNow + milliseconds(40), microseconds(100));
  CHECK(contention.present(kNow + milliseconds(80)));
}

TEST_CASE("who keeps the core for a whole slice is not yielded to any longer") {
  Contention contention;
  contention.yielded(kNow, microseconds(100));
  contention.yielded(kNow + milliseconds(5), milliseconds(4));
  CHECK_FALSE(contention.present(kNow + milliseconds(5)));
}
