// The algorithms, one function each: the program of one rank, or nothing where the algorithm does not do this
// operation on this fabric. All are called with shapes that fit the fabric.
#pragma once

#include <optional>

#include "schedules/schedule.hpp"
#include "schedules/topology.hpp"

namespace jackal::collectives {

/// Whole vectors straight to whoever needs them, one message a pair: for short ones. Needs every link.
std::optional<Program> direct_program(Topology& topology, const Shape& shape, int rank);
/// Straight as well, each rank in charge of its part of the vector, all links at once. Needs every link.
std::optional<Program> mesh_program(Topology& topology, const Shape& shape, int rank);
/// Around a ring, half of everything each way.
std::optional<Program> ring_program(Topology& topology, const Shape& shape, int rank);
/// Partners at distances 1, 2, 4 …, each with all that it has: fewest messages. Needs every link.
std::optional<Program> recursive_doubling_program(Topology& topology, const Shape& shape, int rank);
/// Partners at distances …, 4, 2, 1 with halves, then back. Needs every link.
std::optional<Program> halving_doubling_program(Topology& topology, const Shape& shape, int rank);
/// Up and down a tree of few hops. Any connected fabric.
std::optional<Program> tree_program(Topology& topology, const Shape& shape, int rank);
/// Along a walk through all ranks, from the root both ways.
std::optional<Program> chain_program(Topology& topology, const Shape& shape, int rank);
/// Each message for itself, stored and forwarded along the shortest way. Any connected fabric.
std::optional<Program> routes_program(Topology& topology, const Shape& shape, int rank);

/// Whether the operation has a root; Shape::root means nothing where it has none.
bool has_root(Operation operation);

/// The parts of tree_program that serve any tree.
Program tree_shaped(const Tree& tree, const Shape& shape, int rank);

/// As the public functions, for many programs of one fabric.
std::vector<std::string> algorithms_for(const Shape& shape, Topology& topology);
std::optional<Program> make_program(std::string_view algorithm, const Shape& shape, Topology& topology,
                                    int rank);

}  // namespace jackal::collectives
