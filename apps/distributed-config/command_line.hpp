// The table of distributed-config's flags. What their values mean is options.cpp's business.
#pragma once

#include "cli/command_line.hpp"

namespace jackal::distributed_config {

const cli::Table& flag_table();

}  // namespace jackal::distributed_config
