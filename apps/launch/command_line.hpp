// The table of launch's flags. What their values mean is options.cpp's business.
#pragma once

#include "cli/command_line.hpp"

namespace jackal::launch {

const cli::Table& flag_table();

}  // namespace jackal::launch
