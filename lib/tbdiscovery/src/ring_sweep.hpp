// The two halves of the ring search, on a graph of neighbour lists.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace jackal::tbdiscovery {

using Neighbours = std::vector<std::vector<std::size_t>>;

/// The vertex sets of the blocks (parts without a cut vertex) of at least three vertices.
std::vector<std::vector<std::size_t>> blocks_of(const Neighbours& graph);

/// No cycle of this block is longer. A ring around a bipartite block takes its two sides in turn, so the
/// smaller side bounds it.
std::size_t longest_possible(const Neighbours& block);

/// A long cycle, quickly; often the longest, never certainly. Empty when none was met.
std::vector<std::size_t> guess_cycle(const Neighbours& graph);

struct Sweep {
  std::vector<std::size_t> cycle;  // the longest of more than `at_least` vertices; empty: there is none
  bool complete = true;            // false: gave up, so a longer one may exist
};

/// Exact unless it gives up: the longest cycle that has more than `at_least` vertices.
Sweep sweep_cycle(const Neighbours& graph, std::size_t at_least);

}  // namespace jackal::tbdiscovery
