// The table of what goes wrong on desks: a made-up cluster each, with the problems that must be named there
// and the exit code that the program must end with. Every other problem would be a wrong one.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "jackal/tbdiscovery/probes.hpp"
#include "jackal/tbdiscovery/request.hpp"

namespace jackal::tbdiscovery::test {

/// "code node port" for each problem.
using Found = std::multiset<std::string>;

struct Scenario {
  std::string name;
  RawProbes probes;
  Found expected;
  int exit = 0;
  Request request;
};

std::vector<Scenario> scenarios();

/// The flags that ask the program for this.
std::vector<std::string> arguments(const Request& request);

}  // namespace jackal::tbdiscovery::test
