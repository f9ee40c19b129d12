// The one place of this half of launch that looks at the machine: terminal size, current directory,
// interpreter.
#pragma once

#include <string>
#include <vector>

#include "launch/options.hpp"

namespace jackal::launch {

Surroundings look_around(const std::vector<std::string>& command);

}  // namespace jackal::launch
