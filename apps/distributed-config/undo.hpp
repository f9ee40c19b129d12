// --undo: restores on every node what set-ups changed there.
#pragma once

#include "distributed-config/nodes.hpp"
#include "jackal/tbdiscovery/map.hpp"

namespace jackal::distributed_config {

/// Prints what it does; the exit code.
int undo(Nodes& nodes, const tbdiscovery::ClusterMap& map);

}  // namespace jackal::distributed_config
