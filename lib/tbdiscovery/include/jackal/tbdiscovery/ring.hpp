// The longest ring in a graph, and among the longest the one whose thinnest link is thickest. Pure.
//
// Longest cycles are NP-hard in general, so the search is in two halves: a heuristic finds a long ring at
// once, and a sweep over the graph, cut by cut, keeps one record for every way in which a ring can cross the
// cut. The sweep is exact; cablings have few ports a machine, hence narrow cuts. When it would keep too many
// records it stops, and the result says that it is not proven and how long a ring could be at most.
#pragma once

#include <cstddef>
#include <vector>

namespace jackal::tbdiscovery {

/// weights[i][j]: how thick the link of i and j is; 0: none. Symmetric, the diagonal is ignored.
using LinkWeights = std::vector<std::vector<int>>;

struct Ring {
  /// In ring order, from the lowest vertex towards its lower neighbour; two vertices that share a link count
  /// as a ring of two. Empty: no links at all. The order 0, 1, 2, … is kept where it is a ring as good as
  /// any.
  std::vector<std::size_t> order;
  int thinnest = 0;             // weight of its thinnest link
  bool proven = true;           // no ring is longer, and none of this length is thicker
  std::size_t upper_bound = 0;  // no ring is longer than this
};

Ring find_ring(const LinkWeights& weights);

/// The largest set of vertices that all share links with each other; among the largest, the lowest.
std::vector<std::size_t> largest_clique(const LinkWeights& weights);

}  // namespace jackal::tbdiscovery
