// The whole job as data: what to run on which host with which environment and files. Made once every host has
// answered, from the command line, the layout and what the hosts said; nothing here touches the world. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/remote/command.hpp"
#include "jackal/remote/node.hpp"
#include "launch/layout.hpp"
#include "launch/options.hpp"

namespace jackal::launch {

using remote::NodeFacts;

/// What makes this run of the job unlike any other.
struct JobIdentity {
  std::string job_id;
  std::string secret;  // 32 random bytes
  std::optional<std::uint64_t>
      port_seed;  // another seed, another coordinator port; nullopt: "<port>" is shown
};

/// One process to start. Files of the same name on one host hold the same bytes and are written once.
struct RankJob {
  int rank = 0;
  std::size_t host = 0;  // index into Job::hosts
  remote::Command command;
  bool directory_required = false;  // false: where command.directory is missing, start where a login starts
};

struct Job {
  hostfile::Backend backend = hostfile::Backend::ring;
  int size = 0;                    // ranks of the job; more than ranks.size() under mpirun
  bool through_mpirun = false;     // ranks holds mpirun alone, on this machine
  std::vector<std::string> hosts;  // what to connect to
  std::vector<RankJob> ranks;
  std::string coordinator;         // address:port; empty when not known (only under mpirun)
  std::vector<std::string> notes;  // lines to announce before the start
};

/// `facts` has one entry for each of layout.hosts. Under mpirun nobody is contacted: it may be empty.
Result<Job> plan_job(const Options& options, const Layout& layout, const std::vector<NodeFacts>& facts,
                     const JobIdentity& identity);

/// The variable that holds the path of the file with the job's secret.
inline constexpr const char* kSecretVariable = "JACKAL_SECRET_FILE";

}  // namespace jackal::launch
