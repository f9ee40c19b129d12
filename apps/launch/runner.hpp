// Runs a job from the first connection to the last byte: connects every host, plans the job with what they
// say, starts the ranks, joins their input and output to ours, stops what must be stopped, and sees that
// nothing is left. Decisions are job.hpp's and outcome.hpp's; this is the shell around them.
#pragma once

#include "launch/layout.hpp"
#include "launch/options.hpp"
#include "launch/outcome.hpp"

namespace jackal::launch {

/// Blocks until the job has ended and everything it wrote is written; says its last words on stderr.
int run_job(const Options& options, const Layout& layout);

}  // namespace jackal::launch
