// The shapes that algorithms find in a fabric: who is next to whom, rings, paths, trees. Computed once for
// all ranks, when first asked for, and the same on every rank. One thread at a time.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "fabric/fabric.hpp"

namespace jackal::collectives {

/// A tree that spans all ranks. The ranks below and including one are neighbours in `order`.
struct Tree {
  int root = 0;
  std::vector<int> parent;                 // -1 for the root
  std::vector<std::vector<int>> children;  // of each rank, in `order`
  std::vector<int> order;                  // all ranks, parents before children, subtree after subtree
  std::vector<int> place;                  // of each rank in `order`
  std::vector<int> below;                  // how many ranks its subtree has, itself included

  /// The ranks of the subtree of `rank` as runs of consecutive numbers, in `order`: {first, how many}.
  struct Run {
    int first = 0;
    int ranks = 0;
  };
  std::vector<Run> runs(int rank) const;
  /// All other ranks, ascending.
  std::vector<Run> runs_outside(int rank) const;
};

/// A walk that visits every rank once. Closed: the last one has a link to the first.
struct Walk {
  std::vector<int> order;
  std::vector<int> place;  // of each rank in `order`
  bool closed = false;

  int at(int index) const;  // counted around
};

class Topology {
public:
  explicit Topology(const Fabric& fabric);

  const Fabric& fabric() const { return fabric_; }
  int ranks() const { return fabric_.ranks; }
  bool complete() const { return complete_; }
  bool connected() const { return connected_; }
  const std::vector<int>& neighbours(int rank) const { return neighbours_[static_cast<std::size_t>(rank)]; }

  /// All ranks in a ring; ranks of one host side by side where every pair is linked. Null when there is none,
  /// or none was found within a bounded search.
  const Walk* ring();
  /// A ring, else an open walk. Null likewise.
  const Walk* walk();

  /// Few hops: binomial where every pair is linked, else breadth first.
  const Tree& tree(int root);
  /// The rank from which the farthest one is nearest; 0 where every pair is linked.
  int centre();
  /// Along walk(), in both directions from the root; without a root, from the middle. Only with a walk().
  const Tree& chain(int root);
  int middle();

  /// next_hop() of all pairs: [from * ranks + to].
  const std::vector<int>& hops();

private:
  Fabric fabric_;
  bool complete_ = false;
  bool connected_ = false;
  std::vector<std::vector<int>> neighbours_;
  bool searched_ring_ = false;
  bool searched_walk_ = false;
  std::optional<Walk> ring_;
  std::optional<Walk> walk_;
  std::optional<int> centre_;
  std::map<int, Tree> trees_;
  std::map<int, Tree> chains_;
  std::vector<int> hops_;
};

}  // namespace jackal::collectives
