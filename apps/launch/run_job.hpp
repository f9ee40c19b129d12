// The job as main() sees it: its signals, its streams, and a second attempt where the first met a taken port.
#pragma once

#include "launch/layout.hpp"
#include "launch/options.hpp"

namespace jackal::launch {

/// Blocks until the job has ended and everything it wrote is written; says its last words on stderr.
int run_job(const Options& options, const Layout& layout);

}  // namespace jackal::launch
