// Programs over channels that cut everything at random, against what the operations mean.
#include "schedules/executor.hpp"

#include <atomic>
#include <numeric>
#include <thread>

#include "collectives/memory_channel.hpp"
#include "control/bytes.hpp"
#include "schedules/flow.hpp"
#include "support/catch.hpp"

using namespace jackal::collectives;

namespace {

using Bytes = std::vector<std::byte>;

// Gives up when somebody else has failed or nothing has come for long.
class TestWatch final : public Watch {
public:
  explicit TestWatch(std::atomic<bool>& failed) : failed_(failed) {}
  void look() override {
    if (failed_ || Clock::now() > deadline_) throw Error(Code::timeout, "waits in vain");
  }
  void lost(int rank, const std::string& why) override {
    throw Error(Code::peer_lost, "rank " + std::to_string(rank) + ": " + why, rank);
  }
  std::span<const int> wake_descriptors() override { return {}; }

private:
  std::atomic<bool>& failed_;
  Deadline deadline_ = Clock::now() + std::chrono::seconds(60);
};

// Runs `body` for every rank in a thread; the first thing that any threw, "" when none did.
std::string run_ranks(int size, const std::function<void(int rank, Watch& watch)>& body) {
  std::atomic<bool> failed = false;
  std::mutex mutex;
  std::string first;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank)
    threads.emplace_back([&, rank] {
      TestWatch watch(failed);
      try {
        body(rank, watch);
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex);
        if (first.empty()) first = error.what();
        failed = true;
      }
    });
  for (std::thread& thread : threads) thread.join();
  return first;
}

Fabric complete_fabric(int ranks) {
  Fabric fabric;
  fabric.ranks = ranks;
  const auto n = static_cast<std::size_t>(ranks);
  fabric.paths.assign(n * n, Path{1, 10000, 1000000, "tcp"});
  for (std::size_t i = 0; i < n; ++i) fabric.paths[i * n + i] = {};
  fabric.host_of.assign(n, 0);
  fabric.cores_of_host = {2};
  fabric.step_ns = fabric.copy_bytes_per_ms = fabric.reduce_bytes_per_ms = 1000;
  return fabric;
}

// Element `i` of rank `rank`: small enough that every type adds it exactly.
int value(int rank, std::size_t i) {
  return static_cast<int>((i * 7 + static_cast<std::size_t>(rank) * 3) % 5);
}

template <class T>
void store(Bytes& bytes, std::size_t i, int number) {
  const T made = static_cast<T>(number);
  std::memcpy(bytes.data() + i * sizeof made, &made, sizeof made);
}

void store(Bytes& bytes, std::size_t i, int number, Dtype dtype) {
  if (dtype == Dtype::int8) store<std::int8_t>(bytes, i, number);
  if (dtype == Dtype::int16) store<std::int16_t>(bytes, i, number);
  if (dtype == Dtype::float32) store<float>(bytes, i, number);
  if (dtype == Dtype::float64) store<double>(bytes, i, number);
}

Bytes filled(std::size_t count, Dtype dtype, const std::function<int(std::size_t)>& number) {
  Bytes bytes(count * dtype_size(dtype));
  for (std::size_t i = 0; i < count; ++i) store(bytes, i, number(i), dtype);
  return bytes;
}

struct Case {
  Shape shape;
  std::string algorithm;
  std::size_t count = 0;
  Dtype dtype = Dtype::float32;
  std::int64_t slice_bytes = 0;
  std::size_t cables = 1;

  std::string text() const {
    return std::string(operation_name(shape.operation)) + " by " + algorithm + ", " +
           std::to_string(shape.ranks) + " ranks, root " + std::to_string(shape.root) + ", " +
           std::to_string(count) + " " + dtype_name(dtype) + ", slices of " + std::to_string(slice_bytes) +
           ", " + std::to_string(cables) + " cables";
  }
};

bool many_in(const Shape& shape) {
  return shape.operation == Operation::reduce_scatter || shape.operation == Operation::scatter ||
         shape.operation == Operation::all_to_all;
}

std::vector<std::size_t> counts_of(const Case& one) {
  std::vector<std::size_t> counts;
  if (one.shape.operation == Operation::all_gather_v)
    for (int rank = 0; rank < one.shape.ranks; ++rank)
      counts.push_back(rank % 3 == 1 ? 0 : one.count / static_cast<std::size_t>(rank + 1));
  return counts;
}

// What `rank` is to find in its output.
Bytes expected(const Case& one, int rank) {
  const int ranks = one.shape.ranks;
  const std::size_t count = one.count;
  const auto sum = [&](std::size_t i) {
    int all = 0;
    for (int other = 0; other < ranks; ++other) all += value(other, i);
    return all;
  };
  switch (one.shape.operation) {
    case Operation::all_reduce:
    case Operation::reduce:
      return filled(count, one.dtype, sum);
    case Operation::reduce_scatter:
      return filled(count, one.dtype,
                    [&](std::size_t i) { return sum(static_cast<std::size_t>(rank) * count + i); });
    case Operation::broadcast:
      return filled(count, one.dtype, [&](std::size_t i) { return value(one.shape.root, i); });
    case Operation::scatter:
      return filled(count, one.dtype, [&](std::size_t i) {
        return value(one.shape.root, static_cast<std::size_t>(rank) * count + i);
      });
    case Operation::all_to_all:
      return filled(count * static_cast<std::size_t>(ranks), one.dtype, [&](std::size_t i) {
        return value(static_cast<int>(i / count), static_cast<std::size_t>(rank) * count + i % count);
      });
    case Operation::all_gather_v: {
      Bytes all;
      const auto counts = counts_of(one);
      for (int other = 0; other < ranks; ++other) {
        const Bytes part = filled(counts[static_cast<std::size_t>(other)], one.dtype,
                                  [&](std::size_t i) { return value(other, i); });
        all.insert(all.end(), part.begin(), part.end());
      }
      return all;
    }
    default:
      return filled(count * static_cast<std::size_t>(ranks), one.dtype,
                    [&](std::size_t i) { return value(static_cast<int>(i / count), i % count); });
  }
}

bool has_output(const Case& one, int rank) {
  const bool rooted = one.shape.operation == Operation::reduce || one.shape.operation == Operation::gather;
  return !rooted || rank == one.shape.root;
}

// One rank's part of a case; throws when the result is wrong.
void carry_out(const Case& one, int rank, Executor& executor, std::span<const std::byte> header,
               Watch& watch) {
  const auto program = make_program(one.algorithm, one.shape, complete_fabric(one.shape.ranks), rank);
  if (!program) throw std::runtime_error("no program");
  const auto counts = counts_of(one);
  const std::size_t own = counts.empty() ? one.count : counts[static_cast<std::size_t>(rank)];
  const Bytes wanted = expected(one, rank);
  const Bytes input = filled(many_in(one.shape) ? own * static_cast<std::size_t>(one.shape.ranks) : own,
                             one.dtype, [&](std::size_t i) { return value(rank, i); });
  const bool broadcasts = one.shape.operation == Operation::broadcast && rank == one.shape.root;
  const bool together = one.shape.operation == Operation::all_reduce && one.shape.in_place;
  Bytes output = broadcasts || together ? input : Bytes(wanted.size(), std::byte{0xee});
  const Memory memory{together ? output.data() : input.data(), output.data(), own, counts};
  const auto check = [&](int, std::span<const std::byte> theirs) {
    if (!std::equal(header.begin(), header.end(), theirs.begin(), theirs.end()))
      throw std::runtime_error("a header that is not this call's");
  };
  executor.run(*program, memory, one.dtype, Op::sum, one.slice_bytes, header, check, watch);
  if (has_output(one, rank) && output != wanted)
    throw std::runtime_error("rank " + std::to_string(rank) + " has a wrong result");
}

Bytes header_of(std::uint64_t number) {
  const std::string bytes = ByteWriter().number(number).bytes() + std::string(24, 'h');
  Bytes header(bytes.size());
  std::memcpy(header.data(), bytes.data(), bytes.size());
  return header;
}

constexpr std::array kOperations = {
    Operation::all_reduce,   Operation::reduce_scatter, Operation::all_gather,
    Operation::all_gather_v, Operation::broadcast,      Operation::reduce,
    Operation::gather,       Operation::scatter,        Operation::all_to_all};
constexpr std::array kTypes = {Dtype::int8, Dtype::int16, Dtype::float32, Dtype::float64};

}  // namespace

TEST_CASE("every algorithm gives every operation's result, whatever the cuts, slices and cables") {
  const int ranks = GENERATE(2, 3, 4, 5);
  std::mt19937 random(static_cast<unsigned>(ranks));
  std::vector<Case> cases;
  for (const Operation operation : kOperations) {
    Shape shape{operation, ranks, static_cast<int>(random() % static_cast<unsigned>(ranks)), false};
    for (const std::string& algorithm : algorithms_for(shape, complete_fabric(ranks)))
      for (const std::size_t count :
           {std::size_t{0}, std::size_t{1}, std::size_t{random() % 40}, std::size_t{200 + random() % 800}})
        cases.push_back({shape, algorithm, count, kTypes[random() % kTypes.size()],
                         static_cast<std::int64_t>(random() % 2 == 0 ? 0 : 8 + random() % 900), 1});
  }
  const std::size_t cables = GENERATE(as<std::size_t>{}, 1, 3);
  const std::size_t room = GENERATE(as<std::size_t>{}, 137, 100000);
  ranks::MemoryWorld world(ranks, cables, room, static_cast<unsigned>(cables));
  std::vector<std::unique_ptr<Executor>> executors;
  for (int rank = 0; rank < ranks; ++rank)
    executors.push_back(std::make_unique<Executor>(world.lanes(rank), Crowding{ranks, 1}));
  // One after the other without a break: what comes early is the next call's.
  std::atomic<std::size_t> furthest = 0;
  const std::string failed = run_ranks(ranks, [&](int rank, Watch& watch) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const Bytes header = header_of(i);
      carry_out(cases[i], rank, *executors[static_cast<std::size_t>(rank)], header, watch);
      if (i > furthest) furthest = i;
    }
  });
  INFO("about " << cases[furthest].text());
  CHECK(failed == "");
}

// The steps may be the same in both, and what waits for what is not: what has not been sent yet must not be
// overwritten.
TEST_CASE("a call in place right after the same one between two buffers waits for what it sends") {
  const int ranks = GENERATE(2, 3, 4);
  ranks::MemoryWorld world(ranks, 1, 500, 11);
  const std::string failed = run_ranks(ranks, [&](int rank, Watch& watch) {
    Executor executor(world.lanes(rank), {ranks, 1});
    const Bytes header = header_of(1);
    for (const bool in_place : {false, true}) {
      const Shape shape{Operation::all_reduce, ranks, -1, in_place};
      for (const std::string& algorithm : algorithms_for(shape, complete_fabric(ranks)))
        carry_out({shape, algorithm, 5000, Dtype::int16, 0, 1}, rank, executor, header, watch);
    }
  });
  CHECK(failed == "");
}

TEST_CASE("large transfers are spread over all cables, and large vectors over slices") {
  const std::size_t cables = GENERATE(as<std::size_t>{}, 1, 2, 3);
  const Shape shape{Operation::all_reduce, 3, -1, false};
  ranks::MemoryWorld world(3, cables, 1 << 20, 5);
  const std::string failed = run_ranks(3, [&](int rank, Watch& watch) {
    Executor executor(world.lanes(rank), {3, 1});
    const Bytes header = header_of(1);
    for (const char* algorithm : {"mesh", "ring"})
      carry_out({shape, algorithm, 200003, Dtype::int16, 100000, cables}, rank, executor, header, watch);
  });
  CHECK(failed == "");
}

TEST_CASE("nothing of a peer is used before its header has been agreed to") {
  const Shape shape{Operation::all_reduce, 2, -1, false};
  ranks::MemoryWorld world(2, 1, 1000, 9);
  const std::string failed = run_ranks(2, [&](int rank, Watch& watch) {
    Executor executor(world.lanes(rank), {2, 1});
    const auto program = *make_program("mesh", shape, complete_fabric(2), rank);
    const std::vector<float> in(10, 1.0F);
    std::vector<float> out(10, -1.0F);
    const Bytes header = header_of(static_cast<std::uint64_t>(rank));
    const auto check = [&](int peer, std::span<const std::byte> theirs) {
      if (peer != 1 - rank || std::equal(theirs.begin(), theirs.end(), header.begin()))
        throw std::runtime_error("not the other's header");
      if (out != std::vector<float>(10, -1.0F)) throw std::runtime_error("too late");
      throw std::runtime_error("refused");
    };
    executor.run(program, {in.data(), out.data(), 10, {}}, Dtype::float32, Op::sum, 0, header, check, watch);
  });
  CHECK(failed == "refused");
}

TEST_CASE("a channel that breaks is reported with its rank, after what came before") {
  const Shape shape{Operation::broadcast, 2, 1, false};
  ranks::MemoryWorld world(2, 1, 1000, 3);
  Executor executor(world.lanes(0), {1, 1});
  const auto program = *make_program("direct", shape, complete_fabric(2), 0);
  const Bytes header = header_of(7);
  std::vector<std::int8_t> out(4);
  const Bytes most = filled(3, Dtype::int8, [](std::size_t i) { return static_cast<int>(i) + 1; });
  world.pipe(1, 0, 0).put(header.data(), header.size());
  world.pipe(1, 0, 0).put(most.data(), most.size());
  world.pipe(1, 0, 0).close();
  std::atomic<bool> failed = false;
  TestWatch watch(failed);
  try {
    executor.run(
        program, {nullptr, out.data(), 4, {}}, Dtype::int8, Op::sum, 0, header,
        [](int, std::span<const std::byte>) {}, watch);
    FAIL("completed");
  } catch (const Error& error) {
    CHECK(error.rank() == 1);
    CHECK(std::string(error.what()) == "rank 1: closed by the test");
  }
  CHECK(out == std::vector<std::int8_t>{1, 2, 3, 0});
}

TEST_CASE("while it waits, the executor says for whom") {
  class Curious final : public Watch {
  public:
    void look() override {
      awaited = executor->awaited();
      throw Error(Code::timeout, "enough");
    }
    void lost(int, const std::string& why) override { throw std::runtime_error(why); }
    std::span<const int> wake_descriptors() override { return {}; }
    const Executor* executor = nullptr;
    std::vector<int> awaited;
  };
  const Shape shape{Operation::all_gather, 4, -1, false};
  ranks::MemoryWorld world(4, 1, 1000, 3);
  Executor executor(world.lanes(1), {4, 1});
  Curious watch;
  watch.executor = &executor;
  std::int8_t in = 1;
  std::array<std::int8_t, 4> out{};
  CHECK_THROWS_AS(executor.run(
                      *make_program("mesh", shape, complete_fabric(4), 1), {&in, out.data(), 1, {}},
                      Dtype::int8, Op::sum, 0, {}, [](int, std::span<const std::byte>) {}, watch),
                  Error);
  CHECK(watch.awaited == std::vector<int>{0, 2, 3});
}

TEST_CASE("transfers go by group of slices, then step, then slice") {
  std::vector<std::pair<std::size_t, std::size_t>> order;  // step, slice
  for (Turn turn(2, 5, 4); !turn.done(); turn.advance()) {
    CHECK(turn.number() == order.size());
    order.emplace_back(turn.step(), turn.slice());
  }
  CHECK(order == std::vector<std::pair<std::size_t, std::size_t>>{
                     {0, 0}, {0, 1}, {0, 2}, {0, 3}, {1, 0}, {1, 1}, {1, 2}, {1, 3}, {0, 4}, {1, 4}});
}

TEST_CASE("the shares of a transfer are all of it, each on a cable of its own") {
  for (const std::size_t elements : {0U, 1U, 7U, 100000U})
    for (std::size_t cables = 1; cables <= 4; ++cables)
      for (std::size_t number = 0; number < 5; ++number) {
        const std::size_t shares = share_count(elements * 4, cables);
        std::vector<Share> all;
        for (std::size_t cable = 0; cable < cables; ++cable)
          if (const Share share = share_of(elements, shares, number, cable, cables); share.any)
            all.push_back(share);
        std::sort(all.begin(), all.end(), [](const Share& a, const Share& b) { return a.begin < b.begin; });
        REQUIRE(all.size() == shares);
        CHECK(all.front().begin == 0);
        CHECK(all.back().end == elements);
        for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i].begin == all[i - 1].end);
      }
  CHECK(share_count(100, 4) == 1);
  CHECK(share_count(1 << 20, 4) == 4);
}
