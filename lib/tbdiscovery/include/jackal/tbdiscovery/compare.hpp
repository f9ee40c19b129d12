// A host file held against what is cabled now: which cable moved, which name or address changed since it was
// written. Pure. Ports are recognised by domain UUID, else by receptacle; names change from start to start.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/hostfile/hostfile.hpp"
#include "jackal/tbdiscovery/map.hpp"

namespace jackal::tbdiscovery {

enum class DifferenceKind {
  host_missing,   // the host was not probed
  port_missing,   // the host has no such port
  cable_missing,  // nothing is in the port
  cable_moved,    // the port leads elsewhere
  interface_renamed,
  device_renamed,   // the RDMA device
  address_missing,  // the port does not have its address
};

/// "host-missing", …
std::string_view to_string(DifferenceKind kind);

struct Difference {
  DifferenceKind kind = DifferenceKind::host_missing;
  std::size_t rank = 0;
  std::size_t peer = 0;  // of the cable; `rank` itself where it is about the host
  std::string text;
};

/// Empty: the host file describes this cabling. Cables that it does not use are no difference.
std::vector<Difference> compare(const hostfile::Hostfile& hostfile, const ClusterMap& map);

}  // namespace jackal::tbdiscovery
