// All that was found, for machines. The format has a version; within one version members are only added.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/tbdiscovery/map.hpp"
#include "jackal/tbdiscovery/plan.hpp"
#include "jackal/tbdiscovery/problems.hpp"
#include "jackal/tbdiscovery/setup.hpp"

namespace jackal::tbdiscovery {

inline constexpr int kJsonVersion = 1;

/// `plan`: what was planned, or why nothing could be. What is not known is null. Ends with a newline.
std::string to_json(const ClusterMap& map, const std::vector<Problem>& problems, const Result<Plan>& plan,
                    const std::vector<NodeSetup>& setup);

}  // namespace jackal::tbdiscovery
