// What plan.cpp decides with, and what it fills in once it has decided.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jackal/tbdiscovery/plan.hpp"
#include "links.hpp"

namespace jackal::tbdiscovery {

/// A topology that could be planned, before addresses.
struct Choice {
  hostfile::Backend backend = hostfile::Backend::ring;
  Topology topology = Topology::ring;
  std::vector<std::size_t> ranks;  // nodes of the map
  std::size_t width = 0;           // cables a neighbour, for rings; 0: all there are
  std::string reason;
  std::optional<RingSearch> search = std::nullopt;  // for rings
};

/// What stands in the way, for people: which cables are missing or cannot be used, and what to do about it.
std::string mesh_obstacles(const ClusterMap& map, const Links& links);
std::string ring_obstacles(const ClusterMap& map, const Links& links);
/// "Join m1 port 3 and m2 port 1 …" for up to three missing pairs of a mesh; empty when ports do not suffice.
std::string mesh_advice(const ClusterMap& map, const Links& links);
/// Why RDMA cannot use the cables between these nodes, once for each reason; empty when it can use all.
std::string rdma_obstacles(const ClusterMap& map, const std::vector<std::size_t>& nodes);
/// "a, b and c".
std::string listed(const std::vector<std::string>& names);
std::string names_of(const ClusterMap& map, const std::vector<std::size_t>& nodes);

/// The cables that rank r and rank s use under this choice, in order.
std::vector<std::size_t> cables_used(const Choice& choice, const Links& links, std::size_t r, std::size_t s);

void fill_hostfile(const ClusterMap& map, const Request& request, const Choice& choice, const Links& links,
                   Plan& plan);

}  // namespace jackal::tbdiscovery
