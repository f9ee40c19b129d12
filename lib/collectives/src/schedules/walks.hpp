// The search for a ring or an open walk through all ranks of a graph. Pure.
#pragma once

#include <optional>
#include <vector>

namespace jackal::collectives {

using Neighbours = std::vector<std::vector<int>>;  // of each rank, ascending

/// Through all ranks once, each linked to the next, and when `closed` the last to the first. The ranks in
/// their own order when that is one. Looks at a bounded number of ways: always enough up to 8 ranks and on
/// sparse graphs of any size.
std::optional<std::vector<int>> find_walk(const Neighbours& neighbours, bool closed);

}  // namespace jackal::collectives
