// The one place of this half of launch that looks at the machine: terminal size, current directory,
// interpreter, and the job that it may itself be a rank of.
#pragma once

#include <string>
#include <vector>

#include "launch/options.hpp"

namespace jackal::launch {

/// A rank of another job that runs launch: what names its place there says nothing of the new job, whose
/// ranks would inherit it.
void leave_outer_job();

Surroundings look_around(const std::vector<std::string>& command);

}  // namespace jackal::launch
