// All that was found as one HTML page, for a screen, a phone or paper. Pure. The page needs nothing from
// anywhere: no network, no script. Names come from hosts and are shown, never obeyed.
#pragma once

#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/tbdiscovery/map.hpp"
#include "jackal/tbdiscovery/measurement.hpp"
#include "jackal/tbdiscovery/plan.hpp"
#include "jackal/tbdiscovery/problems.hpp"
#include "jackal/tbdiscovery/setup.hpp"

namespace jackal::tbdiscovery {

/// Borrowed for one call.
struct Page {
  const ClusterMap& map;
  const std::vector<Problem>& problems;
  const Result<Plan>& plan;
  const std::vector<NodeSetup>& setup;
  const std::vector<CableMeasurement>& measurements;
};

std::string to_html(const Page& page);

}  // namespace jackal::tbdiscovery
