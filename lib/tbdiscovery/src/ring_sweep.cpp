// The exact half. Vertices are taken in an order that keeps the cut between taken and untaken vertices
// narrow. Every edge is decided once: in the ring or not. All that matters of the decisions so far is, for
// each vertex on the cut, whether it is untouched, inside a finished stretch, or the end of an open path (and
// which vertex is the path's other end). Of all partial rings with the same record only the one that passed
// over the fewest vertices is kept. A vertex that leaves the cut untouched is passed over for good, so a
// partial ring that has passed over too many can be dropped at once.
#include "ring_sweep.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <unordered_map>

namespace jackal::tbdiscovery {
namespace {

using Mate = unsigned char;
constexpr Mate kOutside = 255;  // not on the cut
constexpr Mate kInside = 254;   // has both its ring edges
constexpr std::size_t kMostVertices = 250;
constexpr std::size_t kMostRecords = 100'000;

using Record = std::string;  // one Mate a vertex

struct Step {
  std::uint32_t previous = 0;  // in the layer before
  bool taken = false;
};

struct Candidate {
  std::uint32_t passed_over = 0;
  Step step;
};

struct Edge {
  std::size_t a = 0;
  std::size_t b = 0;
  std::vector<std::size_t> enter;  // vertices whose first edge this is
  std::vector<std::size_t> leave;  // vertices whose last edge this is
};

std::vector<std::size_t> narrow_order(const Neighbours& graph) {
  std::vector<std::size_t> order;
  std::vector<bool> taken(graph.size(), false);
  const auto open_after = [&](std::size_t candidate) {
    std::size_t open = 0;
    for (std::size_t v = 0; v < graph.size(); ++v) {
      if (!taken[v] && v != candidate) continue;
      open += std::any_of(graph[v].begin(), graph[v].end(),
                          [&](std::size_t w) { return !taken[w] && w != candidate; });
    }
    return open;
  };
  while (order.size() < graph.size()) {
    std::size_t best = graph.size();
    std::size_t least = std::numeric_limits<std::size_t>::max();
    for (std::size_t v = 0; v < graph.size(); ++v) {
      if (taken[v]) continue;
      if (const auto open = open_after(v); open < least) {
        least = open;
        best = v;
      }
    }
    taken[best] = true;
    order.push_back(best);
  }
  return order;
}

std::vector<Edge> edges_in_order(const Neighbours& graph) {
  const auto order = narrow_order(graph);
  std::vector<std::size_t> place(graph.size());
  for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
  std::vector<Edge> edges;
  for (const auto v : order) {
    auto earlier = graph[v];
    earlier.erase(
        std::remove_if(earlier.begin(), earlier.end(), [&](std::size_t w) { return place[w] > place[v]; }),
        earlier.end());
    std::sort(earlier.begin(), earlier.end(),
              [&](std::size_t a, std::size_t b) { return place[a] < place[b]; });
    for (const auto w : earlier) edges.push_back({w, v, {}, {}});
  }
  std::vector<bool> met(graph.size(), false);
  for (auto& edge : edges) {
    for (const auto v : {edge.a, edge.b}) {
      if (!met[v]) edge.enter.push_back(v);
      met[v] = true;
    }
  }
  met.assign(graph.size(), false);
  for (auto edge = edges.rbegin(); edge != edges.rend(); ++edge) {
    for (const auto v : {edge->a, edge->b}) {
      if (!met[v]) edge->leave.push_back(v);
      met[v] = true;
    }
  }
  return edges;
}

Mate& mate_of(Record& record, std::size_t vertex) { return reinterpret_cast<Mate&>(record[vertex]); }
Mate mate_of(const Record& record, std::size_t vertex) { return static_cast<Mate>(record[vertex]); }

class Sweeper {
public:
  Sweeper(const Neighbours& graph, std::size_t at_least)
      : size_(graph.size()), edges_(edges_in_order(graph)), best_(at_least) {}

  Sweep run() {
    std::vector<Record> records = {Record(size_, static_cast<char>(kOutside))};
    std::vector<std::uint32_t> passed_over = {0};
    std::size_t total = 0;
    for (const auto& edge : edges_) {
      next_.clear();
      for (std::uint32_t i = 0; i < records.size(); ++i) {
        Record record = records[i];
        for (const auto v : edge.enter) mate_of(record, v) = static_cast<Mate>(v);
        offer(edge, record, passed_over[i], {i, false});
        take(edge, record, passed_over[i], i);
      }
      total += next_.size();
      if (total > kMostRecords) return {result_, false};
      records.clear();
      passed_over.clear();
      layers_.emplace_back();
      for (const auto& [record, candidate] : next_) {
        records.push_back(record);
        passed_over.push_back(candidate.passed_over);
        layers_.back().push_back(candidate.step);
      }
    }
    return {result_, true};
  }

private:
  void take(const Edge& edge, Record record, std::uint32_t passed_over, std::uint32_t from) {
    const Mate left = mate_of(record, edge.a);
    const Mate right = mate_of(record, edge.b);
    if (left == kInside || right == kInside) return;
    if (left == static_cast<Mate>(edge.b)) {  // the two ends of one path: this closes the ring
      close(record, edge, from);
      return;
    }
    const bool a_was_end = left != static_cast<Mate>(edge.a);
    const bool b_was_end = right != static_cast<Mate>(edge.b);
    mate_of(record, left) = right;
    mate_of(record, right) = left;
    if (a_was_end) mate_of(record, edge.a) = kInside;
    if (b_was_end) mate_of(record, edge.b) = kInside;
    offer(edge, record, passed_over, {from, true});
  }

  /// A ring counts when no other path is open.
  void close(const Record& record, const Edge& edge, std::uint32_t from) {
    for (std::size_t v = 0; v < size_; ++v) {
      const Mate mate = mate_of(record, v);
      if (mate != kOutside && mate != kInside && mate != v && v != edge.a && v != edge.b) return;
    }
    auto cycle = trace(edge, from);
    if (cycle.size() <= best_) return;
    best_ = cycle.size();
    result_ = std::move(cycle);
  }

  void offer(const Edge& edge, Record record, std::uint32_t passed_over, Step step) {
    for (const auto v : edge.leave) {
      const Mate mate = mate_of(record, v);
      if (mate != v && mate != kInside) return;  // an open end that nothing can continue
      passed_over += mate == v;
      mate_of(record, v) = kOutside;
    }
    if (size_ - passed_over <= best_) return;
    const auto [known, added] = next_.try_emplace(std::move(record), Candidate{passed_over, step});
    if (!added && passed_over < known->second.passed_over) known->second = {passed_over, step};
  }

  /// Walks the decisions back and strings the edges taken together.
  std::vector<std::size_t> trace(const Edge& closing, std::uint32_t from) const {
    std::vector<std::vector<std::size_t>> ring(size_);
    const auto join = [&](const Edge& edge) {
      ring[edge.a].push_back(edge.b);
      ring[edge.b].push_back(edge.a);
    };
    join(closing);
    for (std::size_t layer = layers_.size(); layer-- > 0;) {
      const Step& step = layers_[layer][from];
      if (step.taken) join(edges_[layer]);
      from = step.previous;
    }
    std::vector<std::size_t> cycle = {closing.a};
    for (std::size_t previous = closing.a, at = closing.b; at != closing.a;) {
      cycle.push_back(at);
      const auto next = ring[at][0] == previous ? ring[at][1] : ring[at][0];
      previous = at;
      at = next;
    }
    return cycle;
  }

  std::size_t size_;
  std::vector<Edge> edges_;
  std::size_t best_;
  std::vector<std::size_t> result_;
  std::unordered_map<Record, Candidate> next_;
  std::vector<std::vector<Step>> layers_;
};

}  // namespace

Sweep sweep_cycle(const Neighbours& graph, std::size_t at_least) {
  if (graph.size() <= at_least) return {};
  if (graph.size() > kMostVertices) return {{}, false};
  return Sweeper(graph, std::max<std::size_t>(at_least, 2)).run();
}

}  // namespace jackal::tbdiscovery
