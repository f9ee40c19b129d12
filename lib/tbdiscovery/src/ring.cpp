#include "jackal/tbdiscovery/ring.hpp"

#include <algorithm>
#include <set>

#include "ring_sweep.hpp"

namespace jackal::tbdiscovery {
namespace {

struct Longest {
  std::vector<std::size_t> cycle;
  bool proven = true;
  std::size_t upper_bound = 0;
};

Neighbours links_of_at_least(const LinkWeights& weights, int thickness) {
  Neighbours graph(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    for (std::size_t j = 0; j < weights.size(); ++j) {
      if (i != j && weights[i][j] >= thickness && weights[i][j] > 0) graph[i].push_back(j);
    }
  }
  return graph;
}

Neighbours part_of(const Neighbours& graph, const std::vector<std::size_t>& vertices) {
  Neighbours part(vertices.size());
  for (std::size_t i = 0; i < vertices.size(); ++i) {
    for (std::size_t j = 0; j < vertices.size(); ++j) {
      const auto& around = graph[vertices[i]];
      if (std::find(around.begin(), around.end(), vertices[j]) != around.end()) part[i].push_back(j);
    }
  }
  return part;
}

/// The longest cycle of more than `at_least` vertices. A cycle lies within one block, so a block that is no
/// larger than what is known already need not be searched.
Longest longest_cycle(const Neighbours& graph, std::size_t at_least) {
  Longest found;
  std::size_t best = at_least;
  for (const auto& block : blocks_of(graph)) {
    const auto part = part_of(graph, block);
    std::size_t bound = longest_possible(part);
    if (bound <= best) continue;
    auto cycle = guess_cycle(part);
    if (cycle.size() < bound) {
      auto sweep = sweep_cycle(part, std::max(best, cycle.size()));
      if (!sweep.cycle.empty()) cycle = std::move(sweep.cycle);
      if (sweep.complete) bound = std::max(best, cycle.size());
      found.proven = found.proven && sweep.complete;
    }
    if (cycle.size() > best) {
      best = cycle.size();
      found.cycle.clear();
      for (const auto v : cycle) found.cycle.push_back(block[v]);
    }
    found.upper_bound = std::max(found.upper_bound, bound);
  }
  found.upper_bound = std::max(found.upper_bound, found.cycle.size());
  found.proven = found.proven || found.upper_bound <= found.cycle.size();
  return found;
}

int thinnest_of(const LinkWeights& weights, const std::vector<std::size_t>& order) {
  int thinnest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const int weight = weights[order[i]][order[(i + 1) % order.size()]];
    thinnest = i == 0 ? weight : std::min(thinnest, weight);
  }
  return thinnest;
}

void start_at_lowest(std::vector<std::size_t>& order) {
  std::rotate(order.begin(), std::min_element(order.begin(), order.end()), order.end());
  if (order.size() > 2 && order.back() < order[1]) std::reverse(order.begin() + 1, order.end());
}

/// Without any cycle: the thickest single link.
Ring thickest_pair(const LinkWeights& weights) {
  Ring ring;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    for (std::size_t j = i + 1; j < weights.size(); ++j) {
      if (weights[i][j] <= ring.thinnest) continue;
      ring.order = {i, j};
      ring.thinnest = weights[i][j];
    }
  }
  ring.upper_bound = ring.order.size();
  return ring;
}

void keep_named_order(const LinkWeights& weights, Ring& ring) {
  if (ring.order.size() != weights.size()) return;
  auto named = ring.order;
  std::sort(named.begin(), named.end());
  if (thinnest_of(weights, named) >= ring.thinnest) ring.order = std::move(named);
}

class CliqueFinder {
public:
  explicit CliqueFinder(const LinkWeights& weights) : weights_(weights) {}

  std::vector<std::size_t> find() {
    std::vector<std::size_t> all(weights_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    grow({}, all);
    return best_;
  }

private:
  void grow(const std::vector<std::size_t>& clique, const std::vector<std::size_t>& candidates) {
    if (clique.size() > best_.size()) best_ = clique;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (clique.size() + candidates.size() - i <= best_.size()) return;
      auto larger = clique;
      larger.push_back(candidates[i]);
      std::vector<std::size_t> rest;
      for (std::size_t j = i + 1; j < candidates.size(); ++j) {
        if (weights_[candidates[i]][candidates[j]] > 0) rest.push_back(candidates[j]);
      }
      grow(larger, rest);
    }
  }

  const LinkWeights& weights_;
  std::vector<std::size_t> best_;
};

}  // namespace

Ring find_ring(const LinkWeights& weights) {
  const Longest longest = longest_cycle(links_of_at_least(weights, 1), 2);
  if (longest.cycle.empty()) {
    Ring pair = thickest_pair(weights);
    pair.proven = longest.proven;
    pair.upper_bound = std::max(pair.upper_bound, longest.upper_bound);
    return pair;
  }
  Ring ring{longest.cycle, thinnest_of(weights, longest.cycle), longest.proven, longest.upper_bound};
  const std::size_t length = ring.order.size();
  std::set<int> all;
  for (const auto& row : weights) all.insert(row.begin(), row.end());
  const std::vector<int> steps(all.upper_bound(ring.thinnest), all.end());
  // A ring of links of at least t is one of at least any less, so the best t can be bisected.
  std::size_t low = 0;
  for (std::size_t high = steps.size(); low < high;) {
    const std::size_t middle = low + (high - low) / 2;
    const Longest thicker = longest_cycle(links_of_at_least(weights, steps[middle]), length - 1);
    if (thicker.cycle.size() < length) {
      ring.proven = ring.proven && thicker.proven;
      high = middle;
      continue;
    }
    ring.order = thicker.cycle;
    ring.thinnest = thinnest_of(weights, ring.order);
    low = middle + 1;
    while (low < high && steps[low] <= ring.thinnest) ++low;
  }
  start_at_lowest(ring.order);
  keep_named_order(weights, ring);
  return ring;
}

std::vector<std::size_t> largest_clique(const LinkWeights& weights) { return CliqueFinder(weights).find(); }

}  // namespace jackal::tbdiscovery
