// What a port and a node are able to do, from everything that is known about them.
#pragma once

#include <string_view>

#include "jackal/tbdiscovery/map.hpp"

namespace jackal::tbdiscovery {

/// The generation of the ports of a Mac of this model identifier; unknown for any that is not listed.
Generation generation_of_model(std::string_view model);

/// Whether `version` ("26.2") is at least major.minor; nullopt when it is not a version.
std::optional<bool> version_at_least(std::string_view version, int major, int minor);

/// Sets the generation of every port of `node`.
void classify_ports(Node& node);

/// Sets `rdma` of every node: from its own words first, else from what its peers see of it.
void classify_rdma(ClusterMap& map);

}  // namespace jackal::tbdiscovery
