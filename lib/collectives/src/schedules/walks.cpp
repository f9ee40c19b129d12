#include "schedules/walks.hpp"

#include <algorithm>
#include <numeric>

namespace jackal::collectives {
namespace {

// Of extending a walk by one rank; all ways through 8 ranks are fewer.
constexpr int kMostTries = 200'000;

bool linked(const Neighbours& neighbours, int a, int b) {
  const auto& list = neighbours[static_cast<std::size_t>(a)];
  return std::binary_search(list.begin(), list.end(), b);
}

class Search {
public:
  Search(const Neighbours& neighbours, bool closed)
      : neighbours_(neighbours), closed_(closed), visited_(neighbours.size(), false) {}

  std::optional<std::vector<int>> from(int start) {
    std::fill(visited_.begin(), visited_.end(), false);
    walk_.assign(1, start);
    ways_.assign(1, onward(start));
    visited_[static_cast<std::size_t>(start)] = true;
    while (!walk_.empty() && tries_ < kMostTries) {
      if (walk_.size() == neighbours_.size() && (!closed_ || linked(neighbours_, walk_.back(), start)))
        return walk_;
      if (ways_.back().empty()) {
        retreat();
        continue;
      }
      const int next = ways_.back().back();
      ways_.back().pop_back();
      ++tries_;
      visited_[static_cast<std::size_t>(next)] = true;
      walk_.push_back(next);
      ways_.push_back(onward(next));
    }
    return std::nullopt;
  }

private:
  int free_neighbours(int rank) const {
    const auto& list = neighbours_[static_cast<std::size_t>(rank)];
    return static_cast<int>(std::count_if(
        list.begin(), list.end(), [this](int other) { return !visited_[static_cast<std::size_t>(other)]; }));
  }

  // The ranks that may come next, the best last: who has fewest ways on is taken first, lest it be cut off.
  std::vector<int> onward(int rank) const {
    std::vector<std::pair<int, int>> choices;
    for (const int next : neighbours_[static_cast<std::size_t>(rank)])
      if (!visited_[static_cast<std::size_t>(next)]) choices.emplace_back(free_neighbours(next), next);
    std::sort(choices.rbegin(), choices.rend());
    std::vector<int> ranks;
    for (const auto& choice : choices) ranks.push_back(choice.second);
    return ranks;
  }

  void retreat() {
    visited_[static_cast<std::size_t>(walk_.back())] = false;
    walk_.pop_back();
    ways_.pop_back();
  }

  const Neighbours& neighbours_;
  bool closed_;
  int tries_ = 0;
  std::vector<bool> visited_;
  std::vector<int> walk_;
  std::vector<std::vector<int>> ways_;
};

}  // namespace

std::optional<std::vector<int>> find_walk(const Neighbours& neighbours, bool closed) {
  const int ranks = static_cast<int>(neighbours.size());
  std::vector<int> own(neighbours.size());
  std::iota(own.begin(), own.end(), 0);
  const auto step = [&neighbours](int a, int b) { return !linked(neighbours, a, b); };
  const bool whole = std::adjacent_find(own.begin(), own.end(), step) == own.end();
  if (whole && (!closed || ranks == 1 || linked(neighbours, ranks - 1, 0))) return own;
  Search search(neighbours, closed);
  if (closed) return search.from(0);
  // An end of a walk is often a rank with few links.
  std::stable_sort(own.begin(), own.end(), [&neighbours](int a, int b) {
    return neighbours[static_cast<std::size_t>(a)].size() < neighbours[static_cast<std::size_t>(b)].size();
  });
  for (const int start : own)
    if (auto found = search.from(start)) return found;
  return std::nullopt;
}

}  // namespace jackal::collectives
