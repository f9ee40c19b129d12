#include "fabric/measure.hpp"

#include <algorithm>
#include <barrier>
#include <exception>
#include <memory>
#include <numeric>
#include <thread>

#include "collectives/graphs.hpp"
#include "collectives/paced_channel.hpp"
#include "support/catch.hpp"

using namespace jackal::collectives;

namespace {

// Lets a measurement take a minute.
class Patience : public Watch {
public:
  void look() override {
    if (Clock::now() > deadline_) throw Error(Code::timeout, "the test took too long");
  }
  void lost(int rank, const std::string& why) override { throw Error(Code::peer_lost, why, rank); }
  std::span<const int> wake_descriptors() override { return {}; }

private:
  Deadline deadline_ = Clock::now() + std::chrono::minutes(1);
};

// Ranks as threads, linked by memory.
struct Cluster {
  int ranks;
  graphs::Links links;
  int cables = 1;
  std::function<std::int64_t(int from, int to)> bytes_per_ms = [](int, int) { return 0; };
  std::vector<int> host_of = {};
  std::vector<Sample> samples = {};

  std::vector<Fabric> measure() {
    std::vector<std::vector<std::vector<std::unique_ptr<Channel>>>> channels(at(ranks));
    for (auto& row : channels) row.resize(at(ranks));
    for (const auto& [a, b] : links) {
      for (int cable = 0; cable < cables; ++cable) {
        const auto there = std::make_shared<paced::Pipe>(bytes_per_ms(a, b));
        const auto back = std::make_shared<paced::Pipe>(bytes_per_ms(b, a));
        channels[at(a)][at(b)].push_back(std::make_unique<paced::PacedChannel>(there, back));
        channels[at(b)][at(a)].push_back(std::make_unique<paced::PacedChannel>(back, there));
      }
    }
    if (host_of.empty()) {
      host_of.resize(at(ranks));
      std::iota(host_of.begin(), host_of.end(), 0);
    }
    std::vector<std::string> told(at(ranks));
    std::barrier everybody(ranks);
    std::vector<Fabric> fabrics(at(ranks));
    std::vector<std::exception_ptr> thrown(at(ranks));
    std::vector<std::thread> threads;
    for (int rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] {
        Surroundings own{rank, ranks, {}, std::vector<std::string>(at(ranks), "memory"), host_of, 2};
        own.lanes.resize(at(ranks));
        own.samples = samples;
        for (int peer = 0; peer < ranks; ++peer)
          for (const auto& channel : channels[at(rank)][at(peer)])
            own.lanes[at(peer)].push_back(channel.get());
        const ShareBytes share = [&](const std::string& mine) {
          told[at(rank)] = mine;
          everybody.arrive_and_wait();
          std::vector<std::string> all = told;
          everybody.arrive_and_wait();
          return all;
        };
        Patience watch;
        try {
          fabrics[at(rank)] = jackal::collectives::measure(own, share, watch);
        } catch (...) {
          thrown[at(rank)] = std::current_exception();
          everybody.arrive_and_drop();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::exception_ptr& exception : thrown)
      if (exception) std::rethrow_exception(exception);
    return fabrics;
  }

  static std::size_t at(int index) { return static_cast<std::size_t>(index); }
};

}  // namespace

TEST_CASE("all ranks measure the same fabric") {
  Cluster cluster{5, graphs::complete(5), 2};
  cluster.host_of = {0, 0, 1, 1, 2};
  const std::vector<Fabric> fabrics = cluster.measure();
  for (const Fabric& fabric : fabrics) CHECK(fabric == fabrics.front());
  const Fabric& fabric = fabrics.front();
  CHECK(fabric.ranks == 5);
  CHECK(fabric.complete());
  CHECK(fabric.path(3, 1).cables == 2);
  CHECK(fabric.path(3, 1).transport == "memory");
  CHECK(fabric.path(3, 1) == fabric.path(1, 3));
  CHECK(fabric.host_of == std::vector<int>{0, 0, 1, 1, 2});
  CHECK(fabric.cores_of_host == std::vector<int>{2, 2, 2});
  CHECK(fabric.copy_bytes_per_ms > 0);
  CHECK(fabric.reduce_bytes_per_ms > 0);
  CHECK(fabric.step_ns > 0);
  CHECK(parse_fabric(write_fabric(fabric)).fabric == fabric);
}

TEST_CASE("only pairs with a link play, and a group of one measures its memory") {
  const Fabric fabric = Cluster{4, graphs::chain(4)}.measure().front();
  CHECK_FALSE(fabric.path(0, 2).linked());
  CHECK_FALSE(fabric.path(3, 0).linked());
  CHECK(fabric.connected());
  const Fabric alone = Cluster{1, {}}.measure().front();
  CHECK(alone.ranks == 1);
  CHECK(alone.reduce_bytes_per_ms > 0);
}

TEST_CASE("a slow cable is not found faster than it is") {
  Cluster cluster{3, graphs::complete(3)};
  cluster.bytes_per_ms = [](int from, int to) { return from + to == 3 ? 20'000 : 0; };
  const Fabric fabric = cluster.measure().front();
  // A first millisecond's worth goes at once, and half of the time may count as the round trip.
  CHECK(fabric.path(1, 2).bytes_per_ms <= 60'000);
}

TEST_CASE("two of a crowded host play for all of it") {
  Cluster cluster{5, graphs::complete(5)};
  cluster.host_of = {0, 0, 0, 0, 1};
  cluster.samples = {{1, 3}, {}};
  // The others' links within the host are slow, and nobody finds out.
  cluster.bytes_per_ms = [](int from, int to) { return std::max(from, to) == 4 || from + to == 4 ? 0 : 100; };
  const std::vector<Fabric> fabrics = cluster.measure();
  for (const Fabric& fabric : fabrics) CHECK(fabric == fabrics.front());
  const Fabric& fabric = fabrics.front();
  for (int low = 0; low < 4; ++low)
    for (int high = low + 1; high < 4; ++high) CHECK(fabric.path(low, high) == fabric.path(1, 3));
  CHECK(fabric.path(1, 3).bytes_per_ms > 2'000);
  CHECK(fabric.path(0, 4).linked());
}

TEST_CASE("two play for a host with fewer cores than ranks, if its links are alike") {
  Fabric fabric = graphs::fabric(6, graphs::complete(6));
  fabric.host_of = {0, 0, 1, 1, 1, 2};
  fabric.cores_of_host = {2, 2, 1};
  const auto host_1 = [&] {
    const std::vector<Sample> samples = samples_of(fabric);
    REQUIRE(samples.size() == 3);
    CHECK(samples[0].low == -1);
    CHECK(samples[2].low == -1);
    return std::pair(samples[1].low, samples[1].high);
  };
  CHECK(host_1() == std::pair(2, 3));
  const auto path = [&](int from, int to) -> Path& {
    return fabric.paths[static_cast<std::size_t>(from * 6 + to)];
  };
  path(2, 3) = path(3, 2) = {};
  CHECK(host_1() == std::pair(2, 4));
  path(3, 4).transport = "another";
  CHECK(host_1() == std::pair(-1, -1));
}

TEST_CASE("a peer that speaks of something else is reported") {
  const auto there = std::make_shared<paced::Pipe>(0);
  const auto back = std::make_shared<paced::Pipe>(0);
  paced::PacedChannel mine(there, back);
  paced::PacedChannel theirs(back, there);
  std::string nonsense(16, 'x');
  const iovec piece{nonsense.data(), nonsense.size()};
  theirs.write({&piece, 1});
  Patience watch;
  const Surroundings own{0, 2, {{}, {&mine}}, {"", "memory"}, {0, 1}, 2};
  const ShareBytes share = [](const std::string& text) { return std::vector<std::string>(2, text); };
  CHECK_THROWS_WITH(measure(own, share, watch), "it does not measure links as this rank does");
}

TEST_CASE("a report that makes no sense is refused") {
  Patience watch;
  const Surroundings own{0, 1, {{}}, {""}, {0}, 1};
  const auto sharing = [&](const std::string& text) {
    const ShareBytes share = [text](const std::string&) { return std::vector<std::string>{text}; };
    return measure(own, share, watch);
  };
  CHECK_THROWS_WITH(sharing(""), "rank 0 reports measurements that make no sense");
  CHECK_THROWS_WITH(sharing(std::string(56, '\xff')), "rank 0 reports measurements that make no sense");
  std::string three_lines(56, '\0');
  three_lines[0] = three_lines[8] = '\n';
  CHECK_THROWS_WITH(sharing(three_lines), "rank 0 reports transports that make no sense");
}

TEST_CASE("in the rounds everybody meets everybody once") {
  for (int size = 1; size <= 9; ++size) {
    std::vector<int> meetings(static_cast<std::size_t>(size * size), 0);
    for (int round = 0; round < rounds_of(size); ++round) {
      for (int rank = 0; rank < size; ++rank) {
        const int partner = partner_in(round, rank, size);
        if (partner < 0) continue;
        CHECK(partner_in(round, partner, size) == rank);
        ++meetings[static_cast<std::size_t>(rank * size + partner)];
      }
    }
    for (int rank = 0; rank < size; ++rank)
      for (int other = 0; other < size; ++other)
        CHECK(meetings[static_cast<std::size_t>(rank * size + other)] == (rank == other ? 0 : 1));
  }
}

TEST_CASE("measurements are rounded to two digits") {
  CHECK(rounded(0) == 0);
  CHECK(rounded(7) == 7);
  CHECK(rounded(99) == 99);
  CHECK(rounded(104) == 100);
  CHECK(rounded(105) == 110);
  CHECK(rounded(4'349'999) == 4'300'000);
}
