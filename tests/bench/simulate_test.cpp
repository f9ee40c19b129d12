#include "bench/simulate.hpp"

#include "bench/failure.hpp"
#include "fabric/fabric.hpp"
#include "support/catch.hpp"

namespace jackal::bench {
namespace {

/// `ranks` hosts, each with a cable to its two neighbours.
std::string ring_of(int ranks) {
  collectives::Fabric fabric;
  fabric.ranks = ranks;
  fabric.paths.resize(static_cast<std::size_t>(ranks * ranks));
  for (int rank = 0; rank < ranks; ++rank) {
    for (const int next : {(rank + 1) % ranks, (rank + ranks - 1) % ranks}) {
      fabric.paths[static_cast<std::size_t>(rank * ranks + next)] = {1, 10'000, 8'000'000, "tcp"};
    }
    fabric.host_of.push_back(rank);
    fabric.cores_of_host.push_back(8);
  }
  fabric.step_ns = 1000;
  fabric.copy_bytes_per_ms = fabric.reduce_bytes_per_ms = 20'000'000;
  return collectives::write_fabric(fabric);
}

Options simulated(std::uint64_t least, std::uint64_t most) {
  Options options;
  options.action = Action::simulate;
  options.min_bytes = least;
  options.max_bytes = most;
  options.factor = 1024;
  return options;
}

Reason refused(const Options& options, const std::string& json) {
  try {
    simulate(options, json, "f.json");
  } catch (const Failure& failure) {
    return failure.reason();
  }
  FAIL("it went well");
  return Reason::internal;
}

}  // namespace

TEST_CASE("every algorithm of a fabric gets a row a size, the fastest first") {
  const Simulation simulation = simulate(simulated(1024, 1 << 20), ring_of(4), "f.json");
  CHECK(simulation.ranks == 4);
  REQUIRE(simulation.rows.size() >= 4);
  bool has_ring = false;
  for (std::size_t i = 0; i < simulation.rows.size(); ++i) {
    const Row& row = simulation.rows[i];
    CHECK(row.transport == "simulated");
    CHECK(row.iterations == 0);
    CHECK(row.time.median_us > 0);
    CHECK(row.time.p99_us == row.time.median_us);
    CHECK(row.busbw == Approx(1.5 * row.algbw));
    has_ring = has_ring || row.algorithm == "ring";
    if (i > 0 && simulation.rows[i - 1].bytes == row.bytes) {
      CHECK(simulation.rows[i - 1].time.median_us <= row.time.median_us);
    }
  }
  CHECK(has_ring);
  CHECK(simulation.explanations.empty());
}

TEST_CASE("one algorithm alone may be asked for, and an explanation") {
  Options options = simulated(1024, 1024);
  options.algorithm = "ring";
  options.explain = true;
  const Simulation simulation = simulate(options, ring_of(4), "f.json");
  REQUIRE(simulation.rows.size() == 1);
  CHECK(simulation.rows[0].algorithm == "ring");
  CHECK(simulation.explanations.find("ring") != std::string::npos);
}

TEST_CASE("what no fabric can do is refused") {
  CHECK(refused(simulated(8, 8), "{}") == Reason::bad_input);
  CHECK(refused(simulated(8, 8), "[") == Reason::bad_input);
  Options options = simulated(8, 8);
  options.algorithm = "teleport";
  CHECK(refused(options, ring_of(4)) == Reason::usage);
  options = simulated(8, 8);
  options.operation = Operation::broadcast;
  options.root = 4;
  CHECK(refused(options, ring_of(4)) == Reason::usage);
}

}  // namespace jackal::bench
