// Probe, map, plan, set up, verify, write: the tool from its options to its exit code.
#pragma once

#include "distributed-config/options.hpp"

namespace jackal::distributed_config {

/// Prints to standard output and error. REQUIRES: the action is plan, check or undo.
int run(const Options& options);

/// Tells the person; the exit code that goes with it.
int end_with(const Error& error);

}  // namespace jackal::distributed_config
