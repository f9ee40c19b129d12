#include "jackal/remote/loop.hpp"

#include "support/catch.hpp"

using namespace jackal::remote;

TEST_CASE("what was posted and missed its turn by a stop runs in the next run") {
  Loop loop;
  bool ran = false;
  const auto stop = loop.after(Clock::duration::zero(), [&] { loop.stop(); });
  loop.post([&] {
    ran = true;
    loop.stop();
  });
  loop.run();
  CHECK(!ran);
  bool late = false;
  const auto deadline = loop.after(std::chrono::seconds(10), [&] {
    late = true;
    loop.stop();
  });
  loop.run();
  CHECK(ran);
  CHECK(!late);
}

TEST_CASE("a thread may post to a loop that is gone, and the loop knows of such threads") {
  Loop::Poster poster;
  auto loop = std::make_unique<Loop>();
  CHECK(!loop->has_posters());
  poster = loop->poster();
  CHECK(loop->has_posters());
  const auto unused = std::make_shared<int>();
  poster.post([unused] {});
  loop.reset();
  CHECK(unused.use_count() == 1);
  poster.post([unused] {});
  CHECK(unused.use_count() == 1);
}
