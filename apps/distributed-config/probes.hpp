// Which nodes are asked, and what they said: over SSH or from saved probes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "distributed-config/options.hpp"
#include "jackal/base/error.hpp"
#include "jackal/tbdiscovery/probes.hpp"

namespace jackal::distributed_config {

/// The nodes of the command line, each once, in order; empty: all of --from-probes.
Result<std::vector<std::string>> chosen_nodes(const Options& options);

/// nullopt: interrupted. Nodes that did not answer have their failure in them.
Result<std::optional<tbdiscovery::RawProbes>> gather_probes(const Options& options,
                                                            const std::vector<std::string>& nodes);

}  // namespace jackal::distributed_config
