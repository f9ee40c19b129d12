#include "fabric/fabric.hpp"

#include <algorithm>

namespace jackal::collectives {
namespace {

// How many hops each rank is from `to`; -1: out of reach.
std::vector<int> distances(const Fabric& fabric, int to) {
  std::vector<int> distance(static_cast<std::size_t>(fabric.ranks), -1);
  std::vector<int> visited{to};
  distance[static_cast<std::size_t>(to)] = 0;
  for (std::size_t i = 0; i < visited.size(); ++i) {
    for (int rank = 0; rank < fabric.ranks; ++rank) {
      int& mine = distance[static_cast<std::size_t>(rank)];
      if (mine >= 0 || !fabric.path(rank, visited[i]).linked()) continue;
      mine = distance[static_cast<std::size_t>(visited[i])] + 1;
      visited.push_back(rank);
    }
  }
  return distance;
}

}  // namespace

bool Fabric::complete() const {
  for (int from = 0; from < ranks; ++from)
    for (int to = 0; to < ranks; ++to)
      if (from != to && !path(from, to).linked()) return false;
  return true;
}

bool Fabric::connected() const {
  if (ranks == 0) return false;
  const std::vector<int> distance = distances(*this, 0);
  return std::none_of(distance.begin(), distance.end(), [](int hops) { return hops < 0; });
}

int next_hop(const Fabric& fabric, int from, int to) {
  const std::vector<int> distance = distances(fabric, to);
  const int mine = distance[static_cast<std::size_t>(from)];
  for (int next = 0; next < fabric.ranks && mine > 0; ++next)
    if (fabric.path(from, next).linked() && distance[static_cast<std::size_t>(next)] == mine - 1) return next;
  return -1;
}

}  // namespace jackal::collectives
