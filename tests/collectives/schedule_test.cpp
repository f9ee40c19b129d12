#include "schedules/schedule.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "collectives/checker.hpp"
#include "collectives/graphs.hpp"
#include "support/catch.hpp"

using namespace jackal::collectives;
using checker::Links;
using checker::Places;

namespace {

constexpr Operation kOperations[] = {
    Operation::all_reduce, Operation::reduce_scatter, Operation::all_gather, Operation::all_gather_v,
    Operation::broadcast,  Operation::reduce,         Operation::gather,     Operation::scatter,
    Operation::all_to_all, Operation::barrier};

bool rooted(Operation operation) {
  return operation == Operation::broadcast || operation == Operation::reduce ||
         operation == Operation::gather || operation == Operation::scatter;
}

// Every place of memory that makes a difference, each with links that wait and with some that do not.
constexpr Places kPlaces[] = {Places::apart, Places::may_be_same, Places::same, Places::differ};

struct Count {
  bool every_place = false;  // else one after the other, from case to case
  int cases = 0;
  std::string problem = {};  // the first one
};

void check_all_algorithms(Count& count, const Shape& shape, Topology& topology, std::uint32_t seed) {
  const auto names = algorithms_for(shape, topology);
  if (names.empty())
    count.problem = "no algorithm for operation " + std::to_string(static_cast<int>(shape.operation));
  for (const std::string& name : names) {
    ++count.cases;
    for (int i = 0; i < 4; ++i) {
      if (!count.every_place && i != count.cases % 4) continue;
      for (const Links links : {Links::wait_for_receiver, Links::mixed}) {
        if (!count.problem.empty()) return;
        count.problem = checker::problem_of(name, shape, topology, {links, kPlaces[i], seed});
        if (count.problem.empty()) continue;
        count.problem = name + ", operation " + std::to_string(static_cast<int>(shape.operation)) + ", " +
                        std::to_string(shape.ranks) + " ranks, root " + std::to_string(shape.root) +
                        ", links " + std::to_string(static_cast<int>(links)) + ", places " +
                        std::to_string(i) + ": " + count.problem;
      }
    }
  }
}

// All operations, from every root that `step` leaves.
Count check_fabric(const Fabric& fabric, std::uint32_t seed, int step, bool every_place = false) {
  Topology topology(fabric);
  Count count{every_place};
  for (const Operation operation : kOperations)
    for (int root = rooted(operation) ? 0 : -1; root < (rooted(operation) ? fabric.ranks : 0); root += step)
      check_all_algorithms(count, {operation, fabric.ranks, root, true}, topology, seed);
  return count;
}

}  // namespace

TEST_CASE("every algorithm is right on complete fabrics of 1 to 16 ranks") {
  for (int ranks = 1; ranks <= 16; ++ranks) {
    const Count count = check_fabric(graphs::fabric(ranks, graphs::complete(ranks)), 7, ranks <= 8 ? 1 : 7);
    CHECK(count.problem == "");
    CHECK(count.cases >= 10);
  }
}

TEST_CASE("every algorithm is right on every connected graph of up to 6 ranks") {
  int shapes = 0;
  for (int ranks = 1; ranks <= 6; ++ranks) {
    for (const graphs::Links& links : graphs::connected_shapes(ranks)) {
      const Count count = check_fabric(graphs::fabric(ranks, links, 1 + shapes % 3), 11, ranks <= 5 ? 1 : 2);
      if (count.problem.empty() && ++shapes > 0) continue;
      INFO(links.size() << " links");
      CHECK(count.problem == "");
    }
  }
  CHECK(shapes == 1 + 1 + 2 + 6 + 21 + 112);
}

TEST_CASE("every algorithm is right from every root, in every place", "[.long]") {
  for (int ranks = 1; ranks <= 16; ++ranks)
    CHECK(check_fabric(graphs::fabric(ranks, graphs::complete(ranks)), 5, 1, true).problem == "");
  for (int ranks = 1; ranks <= 6; ++ranks)
    for (const graphs::Links& links : graphs::connected_shapes(ranks))
      CHECK(check_fabric(graphs::fabric(ranks, links, 3), 13, 1, true).problem == "");
}

TEST_CASE("every algorithm is right on every numbering of those graphs", "[.long]") {
  std::size_t checked = 0;
  for (int ranks = 2; ranks <= 6; ++ranks) {
    for (const graphs::Links& links : graphs::connected_graphs(ranks)) {
      const auto seed = static_cast<std::uint32_t>(checked++);
      const Count count = check_fabric(graphs::fabric(ranks, links), seed, 3, true);
      if (!count.problem.empty()) CHECK(count.problem == "");
    }
  }
  CHECK(checked == 1 + 4 + 38 + 728 + 26704);
}

TEST_CASE("every algorithm is right on rings, chains and stars of 7 to 16 ranks") {
  for (int ranks = 7; ranks <= 16; ranks += 4) {
    for (const graphs::Links& links : {graphs::ring(ranks), graphs::chain(ranks), graphs::star(ranks)})
      CHECK(check_fabric(graphs::fabric(ranks, links), 3, 5).problem == "");
  }
}

TEST_CASE("steps that collide are ordered") {
  for (const int ranks : {2, 3, 4, 6, 7}) {
    for (const graphs::Links& links : {graphs::complete(ranks), graphs::ring(ranks), graphs::star(ranks)}) {
      Topology topology(graphs::fabric(ranks, links));
      for (const Operation operation : kOperations) {
        for (const bool in_place : {false, true}) {
          const Shape shape{operation, ranks, rooted(operation) ? ranks / 2 : -1, in_place};
          for (const std::string& name : algorithms_for(shape, topology))
            for (int rank = 0; rank < ranks; ++rank)
              CHECK(checker::unordered_steps(*make_program(name, shape, topology, rank)) == "");
        }
      }
    }
  }
}

TEST_CASE("dependencies are the last writer, and the readers since for who writes") {
  const Piece input{Space::input, 0, 1};
  const Piece output{Space::output, 0, 1};
  const Piece other{Space::output, 1, 1};
  Program program;
  program.steps = {{Step::Kind::send, 1, input, {}, {}},
                   {Step::Kind::receive, 1, {}, {}, output},
                   {Step::Kind::send, 2, output, {}, {}},
                   {Step::Kind::reduce, -1, input, output, other},
                   {Step::Kind::receive, 2, {}, {}, {Space::output, 0, 2}}};
  CHECK(dependencies(program) == std::vector<std::vector<int>>{{}, {}, {1}, {1}, {2, 3}});
  program.input_at = 0;
  CHECK(dependencies(program) == std::vector<std::vector<int>>{{}, {0}, {1}, {1}, {2, 3}});
}

TEST_CASE("algorithms are offered where they can work") {
  const auto names = [](Operation operation, const graphs::Links& links) {
    return algorithms_for({operation, 4, rooted(operation) ? 0 : -1, true}, graphs::fabric(4, links));
  };
  using Names = std::vector<std::string>;
  CHECK(names(Operation::all_reduce, graphs::complete(4)) ==
        Names{"direct", "mesh", "recursive-doubling", "halving-doubling", "ring", "tree", "chain"});
  CHECK(names(Operation::all_reduce, graphs::ring(4)) == Names{"ring", "tree", "chain"});
  CHECK(names(Operation::all_reduce, graphs::chain(4)) == Names{"tree", "chain"});
  CHECK(names(Operation::all_reduce, graphs::star(4)) == Names{"tree"});
  CHECK(names(Operation::all_to_all, graphs::complete(4)) == Names{"mesh"});
  CHECK(names(Operation::all_to_all, graphs::star(4)) == Names{"routes"});
  CHECK(names(Operation::all_reduce, {{0, 1}, {2, 3}}) == Names{});
}

TEST_CASE("there is no program for what does not exist") {
  const Fabric fabric = graphs::fabric(3, graphs::complete(3));
  const Shape broadcast{Operation::broadcast, 3, 1, true};
  REQUIRE(make_program("tree", broadcast, fabric, 2));
  CHECK_FALSE(make_program("bush", broadcast, fabric, 2));
  CHECK_FALSE(make_program("tree", broadcast, fabric, 3));
  CHECK_FALSE(make_program("tree", {Operation::broadcast, 3, 3, true}, fabric, 2));
  CHECK_FALSE(make_program("tree", {Operation::broadcast, 3, -1, true}, fabric, 2));
  CHECK_FALSE(make_program("tree", {Operation::broadcast, 4, 1, true}, fabric, 2));
  CHECK_FALSE(make_program("tree", {Operation::split, 3, -1, true}, fabric, 2));
  CHECK_FALSE(make_program("routes", broadcast, fabric, 2));
}

TEST_CASE("rings keep the ranks of one host side by side") {
  Fabric fabric = graphs::fabric(4, graphs::complete(4));
  fabric.host_of = {0, 1, 0, 1};
  Topology topology(fabric);
  CHECK(topology.ring()->order == std::vector<int>{0, 2, 1, 3});
}

TEST_CASE("a ring is found where the ranks' own order is none") {
  Topology topology(graphs::fabric(6, {{0, 2}, {2, 4}, {1, 4}, {1, 3}, {3, 5}, {0, 5}, {0, 1}}));
  const Walk* ring = topology.ring();
  REQUIRE(ring != nullptr);
  for (int i = 0; i < 6; ++i) CHECK(topology.fabric().path(ring->at(i), ring->at(i + 1)).linked());
}

TEST_CASE("the next hop is on a shortest way, by the lowest rank") {
  const Fabric ring = graphs::fabric(4, graphs::ring(4));
  CHECK(next_hop(ring, 0, 2) == 1);
  CHECK(next_hop(ring, 0, 3) == 3);
  CHECK(next_hop(ring, 3, 1) == 0);
  CHECK(next_hop(ring, 2, 2) == -1);
  const Fabric split = graphs::fabric(4, {{0, 1}, {2, 3}});
  CHECK(next_hop(split, 0, 3) == -1);
  CHECK_FALSE(split.connected());
  Topology topology(ring);
  for (int from = 0; from < 4; ++from)
    for (int to = 0; to < 4; ++to)
      CHECK(topology.hops()[static_cast<std::size_t>(4 * from + to)] == next_hop(ring, from, to));
}
