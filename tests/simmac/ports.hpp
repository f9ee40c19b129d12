// What the renderers need to know of a port beside the data.
#pragma once

#include "simmac/cluster.hpp"

namespace jackal::simmac {

/// RDMA devices are there: Thunderbolt 5, and switched on.
inline bool has_devices(const Machine& machine) { return machine.rdma && machine.generation >= 5; }

/// A cable leads from this port to a Mac, of the cluster or not.
bool is_cabled(const Cluster& cluster, std::size_t machine, std::size_t port);
/// The Mac at the other end offers RDMA.
bool peers_have_rdma(const Cluster& cluster, std::size_t machine, std::size_t port);

/// The IPv6 address that follows from the port's MAC address.
std::string link_local(std::size_t machine, std::size_t port);

}  // namespace jackal::simmac
