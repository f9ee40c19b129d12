// The settings of one host from the person's ssh configuration; the files are read once per tool run.
#pragma once

#include "jackal/remote/node.hpp"
#include "jackal/remote/ssh_config.hpp"

namespace jackal::remote {

/// On the loop's thread.
Result<HostSettings> load_host_settings(const NodeOptions& options);

}  // namespace jackal::remote
