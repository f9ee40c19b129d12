// Carries set-ups out and undoes them on the nodes, and proves on them what a plan promises. What is done and
// how it is read is decided in lib/tbdiscovery; here it is sent, waited for and told.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "distributed-config/nodes.hpp"
#include "jackal/base/error.hpp"
#include "jackal/tbdiscovery/map.hpp"
#include "jackal/tbdiscovery/plan.hpp"
#include "jackal/tbdiscovery/setup_script.hpp"
#include "jackal/tbdiscovery/verify.hpp"

namespace jackal::distributed_config {

using KeptByNode = std::map<std::string, tbdiscovery::Kept>;

/// What these nodes keep of earlier set-ups.
Result<KeptByNode> ask_kept(Nodes& nodes, const std::vector<const tbdiscovery::Node*>& asked);

/// Runs the jobs on all nodes at once and tells each step on standard error; one error a node that did not
/// come to a good end.
std::vector<Error> carry_out(Nodes& nodes, const std::map<std::string, tbdiscovery::SetupJob>& jobs);

struct Proofs {
  bool links = false;      // pings, RDMA devices
  bool bandwidth = false;  // too
  bool patient = false;    // what is not ready yet is waited for
};

using LostNodes = std::map<std::size_t, Error>;  // node of the map → why it did not answer

/// Also puts addresses that work into the plan's host file.
tbdiscovery::Verification verify(Nodes& nodes, const tbdiscovery::ClusterMap& map, tbdiscovery::Plan& plan,
                                 const Proofs& proofs, LostNodes& lost);

}  // namespace jackal::distributed_config
