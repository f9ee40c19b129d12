// Operations that nobody waits for: several at once, in any order of completion, on every transport.
#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include "collectives/ranks.hpp"
#include "support/catch.hpp"

using jackal::Code;
using jackal::Dtype;
using jackal::Group;
using jackal::Handle;
using jackal::Op;

namespace {

std::vector<float> numbers(std::size_t count, float value) { return std::vector<float>(count, value); }

bool all_are(const std::vector<float>& values, float expected) {
  return std::all_of(values.begin(), values.end(), [expected](float value) { return value == expected; });
}

void require(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(what);
}

ranks::Job job_over(const char* transport, int size) {
  return ranks::Job(size, {{"JACKAL_TRANSPORT", transport}});
}

}  // namespace

TEST_CASE("several operations are in flight and may be waited for in any order") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(job_over(transport, 3), [](Group& group) {
    std::vector<std::vector<float>> data;
    std::vector<Handle> handles;
    for (std::size_t i = 0; i < 20; ++i) data.push_back(numbers(1 + 4000 * i, static_cast<float>(i)));
    for (std::vector<float>& one : data)
      handles.push_back(group.all_reduce_async(one.data(), one.data(), one.size(), Dtype::float32, Op::sum));
    for (std::size_t i = handles.size(); i-- > 0;) {
      handles[i].wait();
      require(all_are(data[i], 3.0F * static_cast<float>(i)), "wrong sum");
      require(handles[i].test(), "a finished operation is not done");
    }
  });
}

TEST_CASE("test() becomes true without wait(), and a handle of nothing is done") {
  ranks::run(ranks::Job(2), [](Group& group) {
    std::vector<float> data = numbers(1000, 2.0F);
    Handle handle =
        group.all_reduce_async(data.data(), data.data(), data.size(), Dtype::float32, Op::product);
    while (!handle.test()) std::this_thread::yield();
    require(all_are(data, 4.0F), "wrong product");
    require(Handle().test(), "a handle of nothing waits");
  });
}

TEST_CASE("a blocking call takes its turn behind those that were started before") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(job_over(transport, 2), [](Group& group) {
    std::vector<float> first = numbers(3000000, 1.0F);
    Handle handle = group.all_reduce_async(first.data(), first.data(), first.size(), Dtype::float32, Op::sum);
    std::vector<float> second = numbers(10, 1.0F);
    group.all_sum(second, second);
    require(handle.test(), "the second was done before the first");
    require(all_are(first, 2.0F) && all_are(second, 2.0F), "wrong sum");
  });
}

TEST_CASE("a handle that is dropped has waited") {
  ranks::run(ranks::Job(2), [](Group& group) {
    std::vector<float> data = numbers(2000000, 1.0F);
    group.all_reduce_async(data.data(), data.data(), data.size(), Dtype::float32, Op::sum);
    require(all_are(data, 2.0F), "not waited for");
  });
}

TEST_CASE("every operation has an asynchronous form with the same result") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(job_over(transport, 3), [](Group& group) {
    const auto rank = static_cast<std::size_t>(group.rank());
    const std::vector<int> three = {1, 2, 3};
    const std::vector<int> mine = {10 * group.rank()};
    std::vector<int> scattered(1);
    std::vector<int> gathered(3);
    std::vector<int> uneven(3);
    std::vector<int> cast = {group.rank()};
    std::vector<int> reduced(1);
    std::vector<int> collected(3);
    std::vector<int> dealt(1);
    std::vector<int> swapped(3);
    const std::vector<std::size_t> counts = {0, 1, 2};
    const std::vector<int> part(rank, group.rank());
    std::vector<Handle> handles;
    handles.push_back(group.reduce_scatter_async(three.data(), scattered.data(), 1, Dtype::int32, Op::sum));
    handles.push_back(group.all_gather_async(mine.data(), gathered.data(), 1, Dtype::int32));
    handles.push_back(group.all_gather_v_async(part.data(), uneven.data(), counts, Dtype::int32));
    handles.push_back(group.broadcast_async(cast.data(), 1, Dtype::int32, 2));
    handles.push_back(group.reduce_async(mine.data(), reduced.data(), 1, Dtype::int32, Op::max, 1));
    handles.push_back(group.gather_async(mine.data(), collected.data(), 1, Dtype::int32, 0));
    handles.push_back(group.scatter_async(three.data(), dealt.data(), 1, Dtype::int32, 1));
    handles.push_back(group.all_to_all_async(three.data(), swapped.data(), 1, Dtype::int32));
    handles.push_back(group.barrier_async());
    Handle::wait_all(handles);
    require(scattered[0] == 3 * (group.rank() + 1), "reduce_scatter");
    require(gathered == std::vector<int>{0, 10, 20}, "all_gather");
    require(uneven == std::vector<int>{1, 2, 2}, "all_gather_v");
    require(cast[0] == 2, "broadcast");
    require(group.rank() != 1 || reduced[0] == 20, "reduce");
    require(group.rank() != 0 || collected == std::vector<int>{0, 10, 20}, "gather");
    require(dealt[0] == group.rank() + 1, "scatter");
    require(swapped == std::vector<int>(3, group.rank() + 1), "all_to_all");
  });
}

TEST_CASE("an operation that failed throws from wait, and again, and so do those behind it") {
  const auto errors = ranks::errors(ranks::Job(2), [](Group& group) {
    std::vector<float> data(group.rank() == 0 ? 5 : 7);
    Handle first = group.all_reduce_async(data.data(), data.data(), data.size(), Dtype::float32, Op::sum);
    Handle second = group.barrier_async();
    for (Handle* handle : {&first, &first, &second}) {
      try {
        handle->wait();
        throw std::runtime_error("no error");
      } catch (const jackal::Error& error) {
        require(error.code() == Code::mismatch, "another error");
      }
    }
    Handle::wait_all(std::span(&second, 1));
  });
  for (const auto& error : errors) {
    REQUIRE(error);
    CHECK(error->code() == Code::mismatch);
  }
}

TEST_CASE("arguments that cannot be carried out are refused at once, also to be started") {
  ranks::run(ranks::Job(2), [](Group& group) {
    std::vector<float> data(3);
    bool refused = false;
    try {
      group.all_reduce_async(nullptr, data.data(), 3, Dtype::float32, Op::sum);
    } catch (const jackal::Error& error) {
      refused = error.code() == Code::invalid_argument;
    }
    require(refused, "not refused");
    group.barrier_async().wait();
  });
}

TEST_CASE("a group that goes away has finished what was started") {
  ranks::run(ranks::Job(3), [](Group& group) {
    std::vector<float> data = numbers(500000, 1.0F);
    Handle handle;
    {
      Group going = std::move(group);
      handle = going.all_reduce_async(data.data(), data.data(), data.size(), Dtype::float32, Op::sum);
    }
    require(handle.test(), "not finished");
    require(all_are(data, 3.0F), "wrong sum");
  });
}

TEST_CASE("a group that goes away at once has begun what was started") {
  const ranks::Job job(1);
  for (int round = 0; round < 1000; ++round) {
    std::vector<int> data(1, round);
    Handle handle;
    {
      Group going = jackal::init(job.options(0));
      // The thread that carries it out has just looked for more.
      Handle before = going.barrier_async();
      while (!before.test()) {
      }
      handle = going.all_reduce_async(data.data(), data.data(), 1, Dtype::int32, Op::sum);
    }
    REQUIRE(handle.test());
  }
}
