// All that was found, for machines. The format has a version; within one version members are only added.
#pragma once

#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/tbdiscovery/compare.hpp"
#include "jackal/tbdiscovery/map.hpp"
#include "jackal/tbdiscovery/plan.hpp"
#include "jackal/tbdiscovery/problems.hpp"
#include "jackal/tbdiscovery/setup.hpp"
#include "jackal/tbdiscovery/verify.hpp"

namespace jackal::tbdiscovery {

inline constexpr int kJsonVersion = 1;

struct WrittenFile {
  std::string kind;  // "hostfile", "svg", "report", "probes"
  std::string path;  // as given
};

/// A host that did not answer and was left out, as asked.
struct IgnoredHost {
  std::string node;
  std::string error;
};

/// What the program did with what it found.
struct Outcome {
  int exit = 0;
  std::vector<IgnoredHost> ignored;
  std::vector<WrittenFile> files;
  bool setup_ran = false;           // the commands of the set-up
  std::vector<Error> setup_errors;  // each with its node in `where`
  std::optional<Verification> verification;
};

/// All that was found. `plan`: what was planned, or why nothing could be. What is not known is null. Ends
/// with a newline. The schema is share/jackal/distributed-config.schema.json.
std::string to_json(const ClusterMap& map, const std::vector<Problem>& problems, const Result<Plan>& plan,
                    const std::vector<NodeSetup>& setup, const Outcome& outcome = {});

/// What a host file that was held against the map says otherwise. The schema is
/// share/jackal/distributed-config-check.schema.json.
std::string to_json(const std::string& hostfile, const ClusterMap& map,
                    const std::vector<Difference>& differences, const Outcome& outcome);

}  // namespace jackal::tbdiscovery
