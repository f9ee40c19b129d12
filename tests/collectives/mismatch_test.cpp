// Calls that do not fit together are an error on every rank, with both sides' arguments, whether they meet on
// a link or not.
#include <atomic>
#include <thread>

#include "collectives/ranks.hpp"
#include "support/catch.hpp"

using jackal::Code;
using jackal::Dtype;
using jackal::Group;
using jackal::Op;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Runs `body` on every rank; every one of them must end with a mismatch that has both texts.
void differs(int size, const std::string& first, const std::string& second,
             const std::function<void(Group&)>& body) {
  const char* transport = GENERATE("shm", "tcp");
  const auto errors = ranks::errors(ranks::Job(size, {{"JACKAL_TRANSPORT", transport}}), body);
  for (const auto& error : errors) {
    REQUIRE(error);
    INFO(transport << ": " << error->what());
    CHECK(error->code() == Code::mismatch);
    CHECK(contains(error->what(), first));
    CHECK(contains(error->what(), second));
  }
}

}  // namespace

TEST_CASE("another size, from the smallest to the largest") {
  differs(2, "all_sum of 1 float32", "all_sum of 2000000 float32", [](Group& group) {
    std::vector<float> data(group.rank() == 0 ? 1 : 2000000);
    group.all_sum(data, data);
  });
}

TEST_CASE("another type of the same size") {
  differs(3, "broadcast of 1 float32 from rank 0", "broadcast of 1 uint32 from rank 0", [](Group& group) {
    float data = 0;
    group.broadcast(&data, 1, group.rank() == 2 ? Dtype::uint32 : Dtype::float32, 0);
    group.barrier();  // the root may have gone on
  });
}

TEST_CASE("another way to combine") {
  differs(2, "all_sum of 100 float32", "all_max of 100 float32", [](Group& group) {
    std::vector<float> data(100);
    group.all_reduce(data, data, group.rank() == 0 ? Op::sum : Op::max);
  });
}

TEST_CASE("another call after many equal ones") {
  differs(2, "all_sum of 4 float32 as its call 101", "all_sum of 4 int32 as its call 101", [](Group& group) {
    std::vector<float> data(4, 1.0F);
    for (int i = 0; i < 100; ++i) group.all_sum(data, data);
    std::vector<int> numbers(4);
    if (group.rank() == 0) group.all_sum(data, data);
    if (group.rank() == 1) group.all_sum(numbers, numbers);
  });
}

TEST_CASE("another root") {
  differs(3, "broadcast of 9 int32 from rank 0", "broadcast of 9 int32 from rank 1", [](Group& group) {
    std::vector<int> data(9);
    group.broadcast(data, group.rank() == 2 ? 1 : 0);
    group.barrier();
  });
}

TEST_CASE("another order") {
  differs(3, "barrier as its call 1", "gather of 1 int32 to rank 0 as its call 1", [](Group& group) {
    std::vector<int> data(1);
    std::vector<int> all(3);
    if (group.rank() == 1) group.barrier();
    group.gather(data.data(), all.data(), 1, Dtype::int32, 0);
    if (group.rank() != 1) group.barrier();
    group.barrier();
  });
}

TEST_CASE("counts that differ although their sum is the same") {
  const char* transport = GENERATE("shm", "tcp");
  const auto errors = ranks::errors(ranks::Job(2, {{"JACKAL_TRANSPORT", transport}}), [](Group& group) {
    std::vector<int> all(4);
    const std::vector<std::size_t> counts =
        group.rank() == 0 ? std::vector<std::size_t>{1, 3} : std::vector<std::size_t>{2, 2};
    group.all_gather_v(all.data(), all.data(), counts, Dtype::int32);
  });
  for (const auto& error : errors) {
    REQUIRE(error);
    CHECK(error->code() == Code::mismatch);
  }
}

TEST_CASE("a split that meets another operation") {
  differs(2, "split", "barrier", [](Group& group) {
    if (group.rank() == 0) group.split(0, 0);
    group.barrier();
  });
}

TEST_CASE("messages of another size and type") {
  const char* transport = GENERATE("shm", "tcp");
  const bool late = GENERATE(false, true);
  const std::size_t count = GENERATE(5U, 500000U);
  const auto errors = ranks::errors(ranks::Job(2, {{"JACKAL_TRANSPORT", transport}}), [&](Group& group) {
    std::vector<int> data(count);
    if (group.rank() == 0) {
      if (late) group.barrier();
      group.recv(data.data(), data.size(), Dtype::float32, 1, 3);
    } else {
      jackal::Handle handle = group.send_async(data.data(), data.size(), Dtype::int32, 0, 3);
      if (late) group.barrier();
      handle.wait();
    }
    group.barrier();
  });
  for (const auto& error : errors) {
    REQUIRE(error);
    INFO(error->what());
    CHECK(error->code() == Code::mismatch);
    CHECK(contains(error->what(), "recv of " + std::to_string(count) + " float32 from rank 1 with tag 3"));
    CHECK(contains(error->what(), "sent " + std::to_string(count) + " int32"));
  }
}

TEST_CASE("a message awaited from a rank that waits in a collective operation") {
  differs(3, "recv of 4 int32 from rank 1 with tag 0", "barrier", [](Group& group) {
    std::vector<int> data(4);
    if (group.rank() == 0) group.recv(data, 1);
    group.barrier();
  });
}

TEST_CASE("two ranks that wait for each other's message") {
  differs(2, "recv of 4 int32 from rank 1 with tag 0", "recv of 4 int32 from rank 0 with tag 0",
          [](Group& group) {
            std::vector<int> data(4);
            group.recv(data, 1 - group.rank());
          });
}

TEST_CASE("a long message with another tag than the one awaited") {
  differs(2, "recv of 100000 int32 from rank 1 with tag 1", "send of 100000 int32 to rank 0 with tag 2",
          [](Group& group) {
            std::vector<int> data(100000);
            if (group.rank() == 0) group.recv(data, 1, 1);
            if (group.rank() == 1) group.send(data, 0, 2);
            group.barrier();
          });
}

TEST_CASE("ranks that only wait for long, for each other's next call, are no mismatch") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(ranks::Job(3, {{"JACKAL_TRANSPORT", transport}}), [](Group& group) {
    std::vector<int> data(100000);
    const auto pause = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1200)); };
    if (group.rank() == 1) pause();
    group.broadcast(data, 0);
    if (group.rank() == 0) pause();
    if (group.rank() == 0) group.send(data, 2);
    if (group.rank() == 2) group.recv(data, 0);
    if (group.rank() == 2) pause();
    group.barrier();
  });
  SUCCEED();
}

TEST_CASE("a message that was waited for long is forgotten when it has been taken") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(ranks::Job(2, {{"JACKAL_TRANSPORT", transport}}), [](Group& group) {
    std::vector<int> data(100000);
    const auto pause = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1200)); };
    if (group.rank() == 1) group.send(data, 0);
    if (group.rank() == 0) pause();
    if (group.rank() == 0) group.recv(data, 1);
    // The other rank is behind, and has last said that it waits for recv.
    if (group.rank() == 1) pause();
    group.all_sum(data, data);
  });
  SUCCEED();
}
