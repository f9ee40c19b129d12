#include "schedules/topology.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "schedules/walks.hpp"

namespace jackal::collectives {
namespace {

std::size_t slot(int rank) { return static_cast<std::size_t>(rank); }

std::vector<int> places(const std::vector<int>& order) {
  std::vector<int> place(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) place[slot(order[i])] = static_cast<int>(i);
  return place;
}

// Everything else follows from who is below whom.
Tree finish(int root, std::vector<int> parent, std::vector<std::vector<int>> children) {
  Tree tree;
  tree.root = root;
  std::vector<int> stack{root};
  while (!stack.empty()) {
    const int rank = stack.back();
    stack.pop_back();
    tree.order.push_back(rank);
    stack.insert(stack.end(), children[slot(rank)].rbegin(), children[slot(rank)].rend());
  }
  tree.place = places(tree.order);
  tree.below.assign(parent.size(), 1);
  for (auto rank = tree.order.rbegin(); rank != tree.order.rend(); ++rank)
    if (parent[slot(*rank)] >= 0) tree.below[slot(parent[slot(*rank)])] += tree.below[slot(*rank)];
  tree.parent = std::move(parent);
  tree.children = std::move(children);
  return tree;
}

Tree binomial(const Walk& walk, int root) {
  const int ranks = static_cast<int>(walk.order.size());
  std::vector<int> parent(walk.order.size(), -1);
  std::vector<std::vector<int>> children(walk.order.size());
  const auto rank_at = [&walk, root](int distance) { return walk.at(walk.place[slot(root)] + distance); };
  for (int distance = 1; distance < ranks; ++distance) {
    const int above = rank_at(distance & (distance - 1));  // without its lowest bit
    parent[slot(rank_at(distance))] = above;
    children[slot(above)].push_back(rank_at(distance));
  }
  return finish(root, std::move(parent), std::move(children));
}

struct Search {
  std::vector<int> parent;
  std::vector<int> visited;  // in the order of their distances
  std::vector<int> distance;
};

Search breadth_first(const Neighbours& neighbours, int root) {
  Search search{std::vector<int>(neighbours.size(), -1), {root}, std::vector<int>(neighbours.size(), -1)};
  search.distance[slot(root)] = 0;
  for (std::size_t i = 0; i < search.visited.size(); ++i) {
    const int rank = search.visited[i];
    for (const int next : neighbours[slot(rank)]) {
      if (search.distance[slot(next)] >= 0) continue;
      search.distance[slot(next)] = search.distance[slot(rank)] + 1;
      search.parent[slot(next)] = rank;
      search.visited.push_back(next);
    }
  }
  return search;
}

Tree spanning(const Neighbours& neighbours, int root) {
  Search search = breadth_first(neighbours, root);
  std::vector<std::vector<int>> children(neighbours.size());
  for (const int rank : search.visited)
    if (rank != root) children[slot(search.parent[slot(rank)])].push_back(rank);
  return finish(root, std::move(search.parent), std::move(children));
}

// Away from `root` both ways along the walk; a closed one is cut opposite to it.
Tree arms(const Walk& walk, int root) {
  const int ranks = static_cast<int>(walk.order.size());
  const int place = walk.place[slot(root)];
  const int after = walk.closed ? ranks / 2 : ranks - 1 - place;
  std::vector<int> parent(walk.order.size(), -1);
  std::vector<std::vector<int>> children(walk.order.size());
  const auto attach = [&](int above, int below) {
    parent[slot(below)] = above;
    children[slot(above)].push_back(below);
  };
  for (int i = 0; i < after; ++i) attach(walk.at(place + i), walk.at(place + i + 1));
  for (int i = 0; i < ranks - 1 - after; ++i) attach(walk.at(place - i), walk.at(place - i - 1));
  return finish(root, std::move(parent), std::move(children));
}

// Hosts in the order of their lowest rank.
std::vector<int> by_host(const Fabric& fabric) {
  std::vector<int> first(fabric.cores_of_host.size(), fabric.ranks);
  for (int rank = fabric.ranks - 1; rank >= 0; --rank) first[slot(fabric.host_of[slot(rank)])] = rank;
  std::vector<int> order(slot(fabric.ranks));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return first[slot(fabric.host_of[slot(a)])] < first[slot(fabric.host_of[slot(b)])];
  });
  return order;
}

std::optional<Walk> walk_of(std::optional<std::vector<int>> order, bool closed) {
  if (!order) return std::nullopt;
  Walk walk{std::move(*order), {}, closed};
  walk.place = places(walk.order);
  return walk;
}

}  // namespace

int Walk::at(int index) const {
  const int ranks = static_cast<int>(order.size());
  return order[static_cast<std::size_t>((index % ranks + ranks) % ranks)];
}

std::vector<Tree::Run> Tree::runs(int rank) const {
  std::vector<Run> runs;
  for (int i = place[slot(rank)]; i < place[slot(rank)] + below[slot(rank)]; ++i) {
    const int member = order[slot(i)];
    if (!runs.empty() && runs.back().first + runs.back().ranks == member)
      ++runs.back().ranks;
    else
      runs.push_back({member, 1});
  }
  return runs;
}

std::vector<Tree::Run> Tree::runs_outside(int rank) const {
  std::vector<Run> inside = runs(rank);
  std::sort(inside.begin(), inside.end(), [](const Run& a, const Run& b) { return a.first < b.first; });
  inside.push_back({static_cast<int>(order.size()), 0});
  std::vector<Run> outside;
  int next = 0;
  for (const Run& run : inside) {
    if (run.first > next) outside.push_back({next, run.first - next});
    next = run.first + run.ranks;
  }
  return outside;
}

Topology::Topology(const Fabric& fabric)
    : fabric_(fabric), complete_(fabric.complete()), neighbours_(static_cast<std::size_t>(fabric.ranks)) {
  for (int from = 0; from < fabric.ranks; ++from)
    for (int to = 0; to < fabric.ranks; ++to)
      if (from != to && fabric.path(from, to).linked()) neighbours_[slot(from)].push_back(to);
  connected_ = fabric.ranks > 0 &&
               breadth_first(neighbours_, 0).visited.size() == static_cast<std::size_t>(fabric.ranks);
}

const Walk* Topology::ring() {
  if (!searched_ring_) {
    searched_ring_ = true;
    ring_ = walk_of(complete_ ? by_host(fabric_) : find_walk(neighbours_, true), true);
  }
  return ring_ ? &*ring_ : nullptr;
}

const Walk* Topology::walk() {
  if (const Walk* closed = ring()) return closed;
  if (!searched_walk_) {
    searched_walk_ = true;
    walk_ = walk_of(find_walk(neighbours_, false), false);
  }
  return walk_ ? &*walk_ : nullptr;
}

const Tree& Topology::tree(int root) {
  const auto known = trees_.find(root);
  if (known != trees_.end()) return known->second;
  return trees_.emplace(root, complete_ ? binomial(*ring(), root) : spanning(neighbours_, root))
      .first->second;
}

const Tree& Topology::chain(int root) {
  const auto known = chains_.find(root);
  if (known != chains_.end()) return known->second;
  return chains_.emplace(root, arms(*walk(), root)).first->second;
}

int Topology::centre() {
  if (centre_) return *centre_;
  centre_ = 0;
  int nearest = fabric_.ranks;
  for (int rank = 0; rank < fabric_.ranks && !complete_; ++rank) {
    const Search search = breadth_first(neighbours_, rank);
    const int farthest = search.distance[slot(search.visited.back())];
    if (farthest < nearest) {
      nearest = farthest;
      centre_ = rank;
    }
  }
  return *centre_;
}

int Topology::middle() { return walk()->at((fabric_.ranks - 1) / 2); }

const std::vector<int>& Topology::hops() {
  if (!hops_.empty()) return hops_;
  const std::size_t ranks = static_cast<std::size_t>(fabric_.ranks);
  hops_.assign(ranks * ranks, -1);
  for (int to = 0; to < fabric_.ranks; ++to) {
    // Links go both ways, so the way from `to` is the way to it; of equal ways the one by the lowest rank.
    const Search search = breadth_first(neighbours_, to);
    for (const int from : search.visited) {
      if (from == to) continue;
      for (const int next : neighbours_[slot(from)]) {
        if (search.distance[slot(next)] + 1 != search.distance[slot(from)]) continue;
        hops_[slot(from) * ranks + slot(to)] = next;
        break;
      }
    }
  }
  return hops_;
}

}  // namespace jackal::collectives
