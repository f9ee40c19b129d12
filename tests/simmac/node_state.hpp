// What the kernel of this node knows of its interfaces and IPv4 routes, read anew by every command.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "jackal/tbdiscovery/ipv4.hpp"
#include "simmac/cluster.hpp"

namespace jackal::simmac {

struct Interface {
  bool up = false;
  bool running = false;  // up, and something at the other end
  int mtu = 1500;
  std::string master;  // its bridge
  std::vector<Address> addresses;
};

struct KernelRoute {
  tbdiscovery::Network to;
  std::optional<tbdiscovery::Ipv4> gateway;
  std::string interface;
};

struct NodeState {
  std::map<std::string, Interface> interfaces;
  std::vector<KernelRoute> routes;

  /// The route that a packet to `to` takes.
  const KernelRoute* route_to(tbdiscovery::Ipv4 to) const;
};

NodeState read_node_state();

/// The cluster as it is now: what the description says, corrected by what holds on this machine.
Cluster as_it_is(Cluster cluster, std::size_t machine, const NodeState& state);

}  // namespace jackal::simmac
