// Our own library as what is measured.
#pragma once

#include <functional>

#include "bench/contender.hpp"
#include "bench/options.hpp"

namespace jackal::bench {

/// Meets the other ranks and hands the group to `run`; returns what that returns. Throws Failure, also for
/// the library's errors while it runs.
int with_group(const Options& options, const std::function<int(Contender&)>& run);

}  // namespace jackal::bench
