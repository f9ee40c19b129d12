#include "schedules/simulator.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "collectives/graphs.hpp"
#include "support/catch.hpp"

using namespace jackal::collectives;

namespace {

// Costs that make sums easy: 1 byte a ns on a cable, everything else free unless a test says otherwise.
Fabric plain(int ranks, const graphs::Links& links, int cables = 1) {
  Fabric fabric = graphs::fabric(ranks, links, cables);
  for (Path& path : fabric.paths) {
    path.latency_ns = 0;
    path.bytes_per_ms = path.linked() ? 1'000'000 : 0;
  }
  fabric.step_ns = 0;
  fabric.copy_bytes_per_ms = 1'000'000'000'000;
  fabric.reduce_bytes_per_ms = 1'000'000'000'000;
  return fabric;
}

// All of a run's travels, checked: no two on one line at once.
struct Result {
  std::int64_t time_ns = 0;
  std::vector<Travel> travels;
  bool overlap = false;
};

Result run(const Fabric& fabric, const char* algorithm, Shape shape, std::int64_t bytes, int slices = 1) {
  shape.in_place = false;
  Topology topology(fabric);
  const auto simulator = Simulator::of(algorithm, shape, topology);
  REQUIRE(simulator);
  Result result;
  result.time_ns = simulator->run(bytes, slices, &result.travels);
  std::map<std::pair<int, int>, std::int64_t> free;
  std::sort(result.travels.begin(), result.travels.end(),
            [](const Travel& a, const Travel& b) { return a.start_ns < b.start_ns; });
  for (const Travel& travel : result.travels) {
    std::int64_t& until = free[{travel.from, travel.to}];
    result.overlap = result.overlap || travel.start_ns < until;
    until = travel.end_ns;
  }
  return result;
}

std::int64_t time_of(const Fabric& fabric, const char* algorithm, const Shape& shape, std::int64_t bytes,
                     int slices = 1) {
  return run(fabric, algorithm, shape, bytes, slices).time_ns;
}

// As long as it should be, but for the rounding of copies that cost next to nothing.
bool about(std::int64_t time, std::int64_t expected) { return time >= expected && time <= expected + 200; }

}  // namespace

TEST_CASE("one hop costs both starts, the cable and the latency") {
  Fabric fabric = plain(2, graphs::complete(2));
  fabric.step_ns = 700;
  for (Path& path : fabric.paths) path.latency_ns = 5'000;
  const Shape shape{Operation::broadcast, 2, 0, false};
  CHECK(about(time_of(fabric, "direct", shape, 1), 700 + 5'000 + 700));
  CHECK(about(time_of(fabric, "direct", shape, 100'000), 700 + 100'000 + 5'000));
}

TEST_CASE("a second cable doubles the bandwidth") {
  const Shape shape{Operation::all_gather, 2, -1, false};
  CHECK(about(time_of(plain(2, graphs::complete(2), 1), "mesh", shape, 6'000'000), 6'000'000));
  CHECK(about(time_of(plain(2, graphs::complete(2), 2), "mesh", shape, 6'000'000), 3'000'000));
}

TEST_CASE("large all-reduces take what the links allow") {
  // Both ways round a ring: 2 (n - 1) / n of half the vector over each link, each way.
  const Shape shape{Operation::all_reduce, 4, -1, false};
  CHECK(about(time_of(plain(4, graphs::ring(4)), "ring", shape, 8'000'000), 6'000'000));
  // Over a mesh: a quarter each to and from everybody.
  CHECK(about(time_of(plain(4, graphs::complete(4)), "mesh", shape, 800'000), 400'000));
}

TEST_CASE("slices follow each other down a chain") {
  const Shape shape{Operation::broadcast, 4, 0, false};
  const Fabric fabric = plain(4, graphs::chain(4));
  CHECK(about(time_of(fabric, "chain", shape, 9'000'000, 1), 3 * 9'000'000));
  CHECK(about(time_of(fabric, "chain", shape, 9'000'000, 9), 11 * 1'000'000));
}

TEST_CASE("ranks of one host share its cores") {
  Fabric fabric = plain(4, graphs::complete(4));
  fabric.reduce_bytes_per_ms = 1'000'000;
  const Shape shape{Operation::reduce_scatter, 4, -1, false};
  const std::int64_t apart = time_of(fabric, "mesh", shape, 100'000);
  fabric.host_of = {0, 0, 0, 0};
  fabric.cores_of_host = {4};
  CHECK(time_of(fabric, "mesh", shape, 100'000) == apart);
  fabric.cores_of_host = {1};
  CHECK(time_of(fabric, "mesh", shape, 100'000) >= 4 * 300'000);
}

TEST_CASE("what comes from a socket is copied before it is summed") {
  Fabric fabric = plain(2, graphs::complete(2));
  for (Path& path : fabric.paths) path.bytes_per_ms = 1'000'000'000'000;
  fabric.copy_bytes_per_ms = 1'000'000;
  fabric.reduce_bytes_per_ms = 500'000;
  const Shape sum{Operation::reduce, 2, 0, false};
  const Shape copy{Operation::broadcast, 2, 0, false};
  const auto cost = [&](const char* transport, const Shape& shape) {
    for (Path& path : fabric.paths) path.transport = transport;
    return time_of(fabric, "direct", shape, 100'000);
  };
  CHECK(cost("tcp", sum) == cost("verbs", sum) + 100'000);
  CHECK(cost("tcp", copy) == cost("verbs", copy));
}

TEST_CASE("a long message waits until it is wanted, a short one goes ahead") {
  // Rank 2's vector is added after rank 1's, which takes a while.
  Fabric fabric = plain(3, graphs::complete(3));
  const Shape shape{Operation::reduce, 3, 0, false};
  CHECK(about(time_of(fabric, "direct", shape, 200'000), 200'000));
  CHECK(about(time_of(fabric, "direct", shape, 2'000'000), 4'000'000));
}

TEST_CASE("no link is used twice at once") {
  for (const int ranks : {2, 3, 5}) {
    for (const graphs::Links& links : {graphs::complete(ranks), graphs::ring(ranks), graphs::star(ranks)}) {
      const Fabric fabric = graphs::fabric(ranks, links, 2);
      for (int operation = 1; operation <= 10; ++operation) {
        const Shape shape{static_cast<Operation>(operation), ranks, 0, false};
        for (const std::string& name : algorithms_for(shape, fabric)) {
          const Result result = run(fabric, name.c_str(), shape, 3'000'001, 4);
          CHECK_FALSE(result.overlap);
          CHECK(result.time_ns > 0);
          CHECK(result.travels.size() >= 1);
        }
      }
    }
  }
}
