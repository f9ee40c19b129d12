#include "schedules/tuner.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "collectives/graphs.hpp"
#include "support/catch.hpp"

using namespace jackal::collectives;

namespace {

std::string best(Operation operation, const Fabric& fabric, std::int64_t bytes, int root = -1) {
  return rank_algorithms({operation, fabric.ranks, root, true}, fabric, bytes).front().algorithm;
}

}  // namespace

TEST_CASE("few messages for short vectors, all links for long ones") {
  const Fabric mesh = graphs::fabric(4, graphs::complete(4));
  CHECK(best(Operation::all_reduce, mesh, 8) == "direct");
  CHECK(best(Operation::all_reduce, mesh, 64 << 20) == "mesh");
  CHECK(best(Operation::broadcast, mesh, 64 << 20, 2) == "mesh");
  CHECK(best(Operation::all_gather, mesh, 64 << 20) == "mesh");
  const Fabric ring = graphs::fabric(4, graphs::ring(4));
  CHECK(best(Operation::all_reduce, ring, 64 << 20) == "ring");
  CHECK(best(Operation::all_reduce, ring, 8) == "tree");
}

TEST_CASE("long vectors go down a chain in slices") {
  const Fabric chain = graphs::fabric(4, graphs::chain(4));
  const auto all = rank_algorithms({Operation::broadcast, 4, 0, true}, chain, 64 << 20);
  CHECK(all.front().slice_bytes < 64 << 20);
  CHECK(all.front().slice_bytes >= 64 << 10);
}

TEST_CASE(
    "what goes through sockets goes in slices that stay in a cache, unless longer ones are much faster") {
  Fabric fabric = graphs::fabric(4, graphs::complete(4));
  const Shape shape{Operation::all_reduce, 4, -1, true};
  const auto slice_over = [&](const char* transport) {
    for (Path& path : fabric.paths) path.transport = transport;
    return rank_algorithms(shape, fabric, 32 << 20).front().slice_bytes;
  };
  CHECK(slice_over("tcp") <= 256 << 10);
  CHECK(slice_over("verbs") == 1 << 20);
  fabric.step_ns = 3'000'000;  // starting a transfer costs more than carrying it
  CHECK(slice_over("tcp") == 1 << 20);
}

TEST_CASE("of what takes about as long, that is taken in which no rank adds up much") {
  Fabric fabric = graphs::fabric(2, graphs::complete(2));
  fabric.reduce_bytes_per_ms = 1'000'000'000;
  const auto all = rank_algorithms({Operation::all_reduce, 2, -1, true}, fabric, 4 << 20);
  CHECK(all.front().algorithm == "mesh");
  CHECK(all.front().most_sums == 500);
  CHECK(all.front().time_ns <= all[1].time_ns + all[1].time_ns / 20);
  CHECK(std::is_sorted(all.begin() + 1, all.end(),
                       [](const Prediction& a, const Prediction& b) { return a.time_ns < b.time_ns; }));
  const auto direct =
      std::find_if(all.begin(), all.end(), [](const Prediction& one) { return one.algorithm == "direct"; });
  REQUIRE(direct != all.end());
  CHECK(direct->most_sums == 1000);
}

TEST_CASE("predictions come in order, one for each algorithm") {
  const Fabric fabric = graphs::fabric(5, graphs::complete(5));
  const Shape shape{Operation::all_reduce, 5, -1, true};
  const auto all = rank_algorithms(shape, fabric, 100'000);
  CHECK(all.size() == algorithms_for(shape, fabric).size());
  CHECK(std::is_sorted(all.begin(), all.end(),
                       [](const Prediction& a, const Prediction& b) { return a.time_ns < b.time_ns; }));
  for (const Prediction& one : all)
    CHECK(predict(one.algorithm, shape, fabric, 100'000, one.slice_bytes) == one.time_ns);
  CHECK(predict("routes", shape, fabric, 100'000, 100'000) == -1);
}

TEST_CASE("many slices are predicted as they would run") {
  // Each slice more costs a chain the same.
  const Fabric fabric = graphs::fabric(3, graphs::chain(3));
  const Shape shape{Operation::broadcast, 3, 0, true};
  const auto time = [&](std::int64_t slices) {
    return predict("chain", shape, fabric, slices << 16, 1 << 16);
  };
  CHECK(time(64) - time(32) == time(32 + 64) - time(64));
  CHECK(time(5) > time(4));
  CHECK(time(7) > time(6));
}

TEST_CASE("sizes at the ends of what can be asked for are predicted") {
  Fabric fabric = graphs::fabric(3, graphs::complete(3));
  const Shape shape{Operation::all_reduce, 3, -1, true};
  CHECK(predict("mesh", shape, fabric, 0, 0) > 0);
  CHECK(predict("mesh", shape, fabric, INT64_MAX, INT64_MAX) > 0);
  CHECK(predict("mesh", shape, fabric, INT64_MAX, 1) > 0);
  fabric.copy_bytes_per_ms = 1;
  for (Path& path : fabric.paths) path.bytes_per_ms = 1;
  CHECK(predict("mesh", shape, fabric, INT64_MAX, INT64_MAX) > 0);
  CHECK(predict("mesh", shape, fabric, INT64_MAX, 1) > 0);
}

TEST_CASE("the fabrics among the examples are predicted as they are described") {
  const auto read = [](const std::string& name) {
    std::ifstream file(std::string(JACKAL_EXAMPLE_FABRICS) + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    const ReadFabric fabric = parse_fabric(text.str());
    CHECK(fabric.problem == "");
    return fabric.fabric.value_or(Fabric{});
  };
  const Fabric mesh = read("mac4-mesh.json");
  CHECK(best(Operation::all_reduce, mesh, 8) == "direct");
  CHECK(best(Operation::all_reduce, mesh, 256 << 20) == "mesh");
  const Fabric ring = read("mac4-ring.json");
  CHECK(best(Operation::all_reduce, ring, 256 << 20) == "ring");
  CHECK(read("mac2.json").ranks == 2);
}

TEST_CASE("an explanation lists what was weighed") {
  const Fabric fabric = graphs::fabric(3, graphs::chain(3), 2);
  CHECK(explain({Operation::all_gather, 3, -1, true}, fabric, 1 << 20) ==
        "all_gather, 1 MiB a rank, 3 ranks\n"
        "2 links, not every pair of ranks is linked; latency 20.0 us, 0.25 GB/s each way\n"
        "algorithm              slices of     predicted\n"
        "chain                    256 KiB       8.52 ms  taken\n"
        "tree                      64 KiB       8.79 ms  3 % longer\n");
  const Fabric split = graphs::fabric(3, {{0, 1}});
  CHECK(explain({Operation::barrier, 3, -1, true}, split, 0) ==
        "barrier, 3 ranks\n"
        "1 link, not every pair of ranks is linked; latency 20.0 us, 0.12 GB/s each way\n"
        "no algorithm can do this here\n");
}
