// At which addresses the ranks of a job find each other. Pure.
#pragma once

#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "launch/job.hpp"
#include "launch/layout.hpp"

namespace jackal::launch {

struct Reach {
  std::vector<std::vector<std::string>>
      ips;                  // of each rank, never empty; IPv4 where there is a choice, for MLX
  std::string coordinator;  // of rank 0
  std::vector<std::string> notes;
};

/// The host file's addresses; for a host without, the one that our connection reached, else the source of its
/// default route. An address that only its own machine reaches does for a job on one machine alone.
Result<Reach> find_addresses(const Layout& layout, const std::vector<NodeFacts>& facts);

}  // namespace jackal::launch
