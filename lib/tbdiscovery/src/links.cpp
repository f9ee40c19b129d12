#include "links.hpp"

#include <algorithm>
#include <set>

namespace jackal::tbdiscovery {
namespace {

constexpr double kMostGbps = 1000;  // of one cable; keeps sums far below one more cable

}  // namespace

Links::Links(const ClusterMap& map, Use use, std::vector<std::size_t> nodes) : nodes_(std::move(nodes)) {
  const std::size_t size = nodes_.size();
  cables_.assign(size, std::vector<std::vector<std::size_t>>(size));
  weights_.assign(size, std::vector<int>(size, 0));
  const auto place = [&](std::size_t node) {
    return static_cast<std::size_t>(std::find(nodes_.begin(), nodes_.end(), node) - nodes_.begin());
  };
  std::set<End> used;
  // A direct cable is preferred to one that shares its port through a hub.
  for (const bool direct : {true, false}) {
    for (std::size_t index = 0; index < map.cables.size(); ++index) {
      const Cable& cable = map.cables[index];
      const auto a = place(cable.a.node);
      const auto b = place(cable.b.node);
      if (cable.through.empty() != direct || a == b || a == size || b == size) continue;
      const auto obstacle = use == Use::rdma ? rdma_obstacle(map, cable) : tcp_obstacle(map, cable);
      if (!obstacle.empty() || used.count(cable.a) != 0 || used.count(cable.b) != 0) continue;
      used.insert({cable.a, cable.b});
      const int weight = kPerCable + static_cast<int>(std::clamp(cable.gbps, 0.0, kMostGbps));
      for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}}) {
        cables_[from][to].push_back(index);
        weights_[from][to] += weight;
      }
    }
  }
  for (auto& row : cables_) {
    for (auto& list : row) std::sort(list.begin(), list.end());
  }
}

std::vector<std::size_t> Links::largest_component() const {
  std::vector<std::size_t> best;
  std::vector<bool> met(nodes_.size(), false);
  for (std::size_t start = 0; start < nodes_.size(); ++start) {
    std::vector<std::size_t> part = {start};
    if (met[start]) continue;
    met[start] = true;
    for (std::size_t i = 0; i < part.size(); ++i) {
      for (std::size_t j = 0; j < nodes_.size(); ++j) {
        if (met[j] || weights_[part[i]][j] == 0) continue;
        met[j] = true;
        part.push_back(j);
      }
    }
    if (part.size() > best.size()) best = std::move(part);
  }
  std::sort(best.begin(), best.end());
  return best;
}

bool Links::connected() const { return largest_component().size() == nodes_.size(); }

}  // namespace jackal::tbdiscovery
