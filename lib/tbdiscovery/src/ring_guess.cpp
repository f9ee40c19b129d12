// The quick half: blocks, which bound the length of any cycle, and a path that grows at its end and, where it
// cannot, turns a stretch of itself around to get another end (Pósa's rotation).
#include <algorithm>
#include <functional>
#include <random>

#include "ring_sweep.hpp"

namespace jackal::tbdiscovery {
namespace {

class BlockFinder {
public:
  explicit BlockFinder(const Neighbours& graph)
      : graph_(graph), depth_(graph.size(), 0), low_(graph.size(), 0) {}

  std::vector<std::vector<std::size_t>> find() {
    for (std::size_t v = 0; v < graph_.size(); ++v) {
      if (depth_[v] == 0) visit(v, graph_.size(), 1);
    }
    return std::move(blocks_);
  }

private:
  void visit(std::size_t v, std::size_t parent, std::size_t depth) {
    depth_[v] = low_[v] = depth;
    stack_.push_back(v);
    for (const auto w : graph_[v]) {
      if (w == parent) continue;
      if (depth_[w] != 0) {
        low_[v] = std::min(low_[v], depth_[w]);
        continue;
      }
      visit(w, v, depth + 1);
      low_[v] = std::min(low_[v], low_[w]);
      if (low_[w] >= depth_[v]) close_block(v, w);
    }
  }

  void close_block(std::size_t cut, std::size_t last) {
    std::vector<std::size_t> block = {cut};
    for (std::size_t v = graph_.size(); v != last;) {
      v = stack_.back();
      stack_.pop_back();
      block.push_back(v);
    }
    if (block.size() >= 3) {
      std::sort(block.begin(), block.end());
      blocks_.push_back(std::move(block));
    }
  }

  const Neighbours& graph_;
  std::vector<std::size_t> depth_;  // 0: not visited
  std::vector<std::size_t> low_;
  std::vector<std::size_t> stack_;
  std::vector<std::vector<std::size_t>> blocks_;
};

class Guesser {
public:
  explicit Guesser(const Neighbours& graph) : graph_(graph), random_(1) {}

  std::vector<std::size_t> guess() {
    constexpr int kStarts = 40;
    for (int start = 0; start < kStarts && best_.size() < graph_.size(); ++start) {
      grow(static_cast<std::size_t>(start) % graph_.size());
    }
    return std::move(best_);
  }

private:
  void grow(std::size_t start) {
    const std::size_t patience = 20 * graph_.size();
    path_ = {start};
    on_path_.assign(graph_.size(), false);
    on_path_[start] = true;
    for (std::size_t turn = 0; turn < patience && best_.size() < graph_.size(); ++turn) {
      note_cycle();
      if (extend()) continue;
      if (turn % 2 == 0) std::reverse(path_.begin(), path_.end());  // the other end may go on
      if (!extend()) rotate();
    }
  }

  bool extend() {
    std::vector<std::size_t> fresh;
    for (const auto w : graph_[path_.back()]) {
      if (!on_path_[w]) fresh.push_back(w);
    }
    if (fresh.empty()) return false;
    path_.push_back(pick(fresh));
    on_path_[path_.back()] = true;
    return true;
  }

  void rotate() {
    const auto pivot = pick(graph_[path_.back()]);
    const auto at = std::find(path_.begin(), path_.end(), pivot);
    std::reverse(at + 1, path_.end());
  }

  /// The end's earliest neighbour on the path closes the longest cycle that ends here.
  void note_cycle() {
    const auto& around = graph_[path_.back()];
    for (std::size_t i = 0; i + 2 < path_.size() && path_.size() - i > best_.size(); ++i) {
      if (std::find(around.begin(), around.end(), path_[i]) == around.end()) continue;
      best_.assign(path_.begin() + static_cast<std::ptrdiff_t>(i), path_.end());
      return;
    }
  }

  std::size_t pick(const std::vector<std::size_t>& from) { return from[random_() % from.size()]; }

  const Neighbours& graph_;
  std::mt19937 random_;  // always the same seed: the same cabling gives the same plan
  std::vector<std::size_t> path_;
  std::vector<bool> on_path_;
  std::vector<std::size_t> best_;
};

}  // namespace

std::vector<std::vector<std::size_t>> blocks_of(const Neighbours& graph) { return BlockFinder(graph).find(); }

std::size_t longest_possible(const Neighbours& block) {
  std::vector<int> side(block.size(), 0);  // 1 or 2 once met
  std::vector<std::size_t> open = {0};
  std::size_t first_side = 1;
  side[0] = 1;
  while (!open.empty()) {
    const auto v = open.back();
    open.pop_back();
    for (const auto w : block[v]) {
      if (side[w] == side[v]) return block.size();
      if (side[w] != 0) continue;
      side[w] = 3 - side[v];
      first_side += side[w] == 1;
      open.push_back(w);
    }
  }
  return 2 * std::min(first_side, block.size() - first_side);
}

std::vector<std::size_t> guess_cycle(const Neighbours& graph) {
  if (graph.size() < 3) return {};
  return Guesser(graph).guess();
}

}  // namespace jackal::tbdiscovery
