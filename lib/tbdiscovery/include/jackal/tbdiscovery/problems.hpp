// Everything that is wrong with a cabling, worst first, each with where, why it matters and what to do. Pure.
// The list of codes is closed; scripts may rely on them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/tbdiscovery/map.hpp"
#include "jackal/tbdiscovery/request.hpp"

namespace jackal::tbdiscovery {

/// In order of weight within one severity.
enum class ProblemCode {
  host_unreachable,
  host_unauthenticated,
  same_machine_twice,
  no_thunderbolt_tree,
  bridge_loop,
  management_on_cable,
  not_cabled,
  cabling_split,
  rdma_unsupported,
  old_macos,
  rdma_disabled,
  rdma_no_device,
  rdma_disabled_seen,
  port_down,
  port_without_interface,
  internet_sharing,
  foreign_manager,
  bridge_owns_port,
  hub_between,
  cable_slow,
  cable_seen_once,
  cable_to_itself,
  uneven_cables,
  missing_mesh_cable,
  no_ipv4_gid,
  unlisted_machine,
  sudo_password,
  sleep_enabled,
  mixed_macos,
  unreadable_probe,
};

/// "host-unreachable", …
std::string_view to_string(ProblemCode code);
/// All of them, in order.
const std::vector<ProblemCode>& problem_codes();

enum class Severity { error, warning, notice };

std::string_view to_string(Severity severity);

struct Problem {
  ProblemCode code = ProblemCode::unreadable_probe;
  Severity severity = Severity::warning;
  bool blocks = false;               // what was asked for cannot be had until this is solved
  std::string node;                  // empty: the cluster as a whole
  std::string port;                  // receptacle; empty: no particular one
  std::optional<std::size_t> cable;  // in ClusterMap::cables
  std::string what;                  // what was seen, naming node and port
  std::string why;                   // why it matters
  std::string next;                  // the next step
};

/// `planned`: a plan was made in spite of everything, so what only limits the choice of a plan does not
/// block.
std::vector<Problem> find_problems(const ClusterMap& map, const Request& request, bool planned);

/// The lines for /etc/sudoers.d that the set-up commands of this node need.
std::string sudoers_lines(const NodeReport& report);

/// Two free ports whose joining would give the pair (a, b) a cable; taken ports are passed over.
struct FreePorts {
  std::optional<std::size_t> a;  // in Node::ports; nullopt: no port is free
  std::optional<std::size_t> b;
};
FreePorts free_ports(const ClusterMap& map, std::size_t a, std::size_t b, const std::vector<End>& taken);

}  // namespace jackal::tbdiscovery
