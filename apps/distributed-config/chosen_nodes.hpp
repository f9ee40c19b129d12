// Which nodes a command line is about. Reads host files and directories, connects to nobody.
#pragma once

#include <string>
#include <vector>

#include "distributed-config/options.hpp"
#include "jackal/base/error.hpp"

namespace jackal::distributed_config {

/// The nodes of the command line, each once, in order; where it names none: all of --from-probes, or this
/// machine.
Result<std::vector<std::string>> chosen_nodes(const Options& options);

}  // namespace jackal::distributed_config
