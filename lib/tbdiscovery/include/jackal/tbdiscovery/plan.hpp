// Which topology the cabling gives, in which order the ranks go, which address each end of each cable gets,
// and the host file that says so. Pure: the same map and request always give the same plan.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/hostfile/hostfile.hpp"
#include "jackal/tbdiscovery/map.hpp"
#include "jackal/tbdiscovery/request.hpp"

namespace jackal::tbdiscovery {

enum class Topology {
  single,    // one machine
  mesh,      // every two share a cable
  ring,      // each shares cables with the one before and the one after
  fabric,    // any connected cabling
  ethernet,  // no cables at all
};

std::string_view to_string(Topology topology);

/// A cable that the plan uses, with the addresses of its ends (those of Cable::a and Cable::b).
struct PlannedCable {
  std::size_t cable = 0;  // in ClusterMap::cables
  Network network;        // a /30 of its own
  Ipv4 ip_a;
  Ipv4 ip_b;
  bool rdma = false;  // the host file names its RDMA devices
};

/// How sure it is that the planned ring is the best one.
struct RingSearch {
  bool proven = true;           // no ring is longer, and none of this length has a thicker thinnest link
  std::size_t upper_bound = 0;  // no ring is longer than this
};

struct Plan {
  hostfile::Backend backend = hostfile::Backend::ring;
  Topology topology = Topology::ethernet;
  std::vector<std::size_t> ranks;     // rank → node of the map
  std::vector<PlannedCable> cables;   // in the map's order
  std::vector<std::size_t> left_out;  // nodes that the person named and the plan does not use
  std::string reason;                 // why this plan
  std::optional<RingSearch> search;   // for rings
  std::vector<std::string> notes;     // what it leaves unused, what is missing for a better one
  hostfile::Hostfile hostfile;
};

/// "proven: no ring is longer, …", or how long one could be at most.
std::string describe(const RingSearch& search);

/// An error says why no plan is possible and what would make one: which ports to join, which backend would
/// do.
Result<Plan> make_plan(const ClusterMap& map, const Request& request);

/// Addresses at which the other nodes may reach this one outside the cables, likeliest first.
std::vector<Ipv4> coordinator_candidates(const Node& node);

/// Gives each of these cables (indices into the map) a /30 that no route of any node overlaps. Cables whose
/// ends share a /30 already keep it.
Result<std::vector<PlannedCable>> assign_addresses(const ClusterMap& map,
                                                   const std::vector<std::size_t>& cables);

}  // namespace jackal::tbdiscovery
