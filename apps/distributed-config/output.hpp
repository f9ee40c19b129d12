// What was found, for people. Pure text.
#pragma once

#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/tbdiscovery/compare.hpp"
#include "jackal/tbdiscovery/json.hpp"
#include "jackal/tbdiscovery/map.hpp"
#include "jackal/tbdiscovery/plan.hpp"
#include "jackal/tbdiscovery/problems.hpp"
#include "jackal/tbdiscovery/setup.hpp"

namespace jackal::distributed_config {

struct Findings {
  tbdiscovery::ClusterMap map;
  std::vector<tbdiscovery::Problem> problems;
  Result<tbdiscovery::Plan> plan;
  std::vector<tbdiscovery::NodeSetup> setup;
};

/// Ports, picture, problems, plan, commands; `run_now`: they are not left to the person;
/// `width`: of the terminal; 0: lines may be of any length.
std::string findings_text(const Findings& findings, bool run_now, std::size_t width);

/// What came of it: proofs, host file, files.
std::string outcome_text(const Findings& findings, const tbdiscovery::Outcome& outcome);

/// A line a difference, or that there is none.
std::string differences_text(const std::vector<tbdiscovery::Difference>& differences);

}  // namespace jackal::distributed_config
