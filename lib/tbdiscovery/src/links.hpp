// The usable cables of a map as a graph over some of its nodes, for RDMA or for TCP.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "jackal/tbdiscovery/map.hpp"
#include "jackal/tbdiscovery/ring.hpp"

namespace jackal::tbdiscovery {

enum class Use { rdma, tcp };

class Links {
public:
  /// Of the cables that `use` can go over, at most one a port: two machines behind one hub share a port, and
  /// a port has one address.
  Links(const ClusterMap& map, Use use, std::vector<std::size_t> nodes);

  const std::vector<std::size_t>& nodes() const { return nodes_; }
  /// The usable cables between nodes()[i] and nodes()[j], in the map's order.
  const std::vector<std::size_t>& between(std::size_t i, std::size_t j) const { return cables_[i][j]; }
  /// How thick each link is: first by cables, then by speed.
  const LinkWeights& weights() const { return weights_; }
  /// The number of cables in a weight.
  static std::size_t cables_in(int weight) { return static_cast<std::size_t>(weight / kPerCable); }

  bool connected() const;
  std::vector<std::size_t> largest_component() const;  // indices into nodes()

private:
  static constexpr int kPerCable = 100'000;  // more than any sum of Gb/s

  std::vector<std::size_t> nodes_;
  std::vector<std::vector<std::vector<std::size_t>>> cables_;
  LinkWeights weights_;
};

}  // namespace jackal::tbdiscovery
