// Predictions for a cluster that is not at hand. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/options.hpp"
#include "bench/row.hpp"

namespace jackal::bench {

struct Simulation {
  int ranks = 0;
  std::vector<Row> rows;  // size by size, the fastest algorithm first
  std::string explanations;
};

/// `json` is the fabric; `where` names it in messages. Throws Failure: bad_input for a fabric that is
/// none, usage for what it cannot do.
Simulation simulate(const Options& options, std::string_view json, const std::string& where);

}  // namespace jackal::bench
