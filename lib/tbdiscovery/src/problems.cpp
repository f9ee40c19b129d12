#include "jackal/tbdiscovery/problems.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "problem_list.hpp"

namespace jackal::tbdiscovery {
namespace {

constexpr std::array<std::pair<ProblemCode, std::string_view>, 30> kCodes{{
    {ProblemCode::host_unreachable, "host-unreachable"},
    {ProblemCode::host_unauthenticated, "host-unauthenticated"},
    {ProblemCode::same_machine_twice, "same-machine-twice"},
    {ProblemCode::no_thunderbolt_tree, "no-thunderbolt-tree"},
    {ProblemCode::bridge_loop, "bridge-loop"},
    {ProblemCode::management_on_cable, "management-on-cable"},
    {ProblemCode::not_cabled, "not-cabled"},
    {ProblemCode::cabling_split, "cabling-split"},
    {ProblemCode::rdma_unsupported, "rdma-unsupported"},
    {ProblemCode::old_macos, "old-macos"},
    {ProblemCode::rdma_disabled, "rdma-disabled"},
    {ProblemCode::rdma_no_device, "rdma-no-device"},
    {ProblemCode::rdma_disabled_seen, "rdma-disabled-seen"},
    {ProblemCode::port_down, "port-down"},
    {ProblemCode::port_without_interface, "port-without-interface"},
    {ProblemCode::internet_sharing, "internet-sharing"},
    {ProblemCode::foreign_manager, "foreign-manager"},
    {ProblemCode::bridge_owns_port, "bridge-owns-port"},
    {ProblemCode::hub_between, "hub-between"},
    {ProblemCode::cable_slow, "cable-slow"},
    {ProblemCode::cable_seen_once, "cable-seen-once"},
    {ProblemCode::cable_to_itself, "cable-to-itself"},
    {ProblemCode::uneven_cables, "uneven-cables"},
    {ProblemCode::missing_mesh_cable, "missing-mesh-cable"},
    {ProblemCode::no_ipv4_gid, "no-ipv4-gid"},
    {ProblemCode::unlisted_machine, "unlisted-machine"},
    {ProblemCode::sudo_password, "sudo-password"},
    {ProblemCode::sleep_enabled, "sleep-enabled"},
    {ProblemCode::mixed_macos, "mixed-macos"},
    {ProblemCode::unreadable_probe, "unreadable-probe"},
}};

}  // namespace

std::string_view to_string(ProblemCode code) {
  for (const auto& [known, name] : kCodes) {
    if (known == code) return name;
  }
  return "";
}

const std::vector<ProblemCode>& problem_codes() {
  static const std::vector<ProblemCode> codes = [] {
    std::vector<ProblemCode> all;
    for (const auto& entry : kCodes) all.push_back(entry.first);
    return all;
  }();
  return codes;
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::notice:
      return "notice";
  }
  return "";
}

Problem& ProblemList::add(ProblemCode code, Severity severity, ProblemText text) {
  problems_.push_back({code, severity, false, "", "", std::nullopt, std::move(text.what), std::move(text.why),
                       std::move(text.next)});
  return problems_.back();
}

Problem& ProblemList::at_node(ProblemCode code, Severity severity, std::size_t node, ProblemText text) {
  Problem& problem = add(code, severity, std::move(text));
  problem.node = map.nodes[node].name();
  return problem;
}

Problem& ProblemList::at_port(ProblemCode code, Severity severity, const End& end, ProblemText text) {
  Problem& problem = at_node(code, severity, end.node, std::move(text));
  problem.port = map.port(end).receptacle;
  return problem;
}

Problem& ProblemList::at_cable(ProblemCode code, Severity severity, std::size_t cable, const End& end,
                               ProblemText text) {
  Problem& problem = at_port(code, severity, end, std::move(text));
  problem.cable = cable;
  return problem;
}

std::vector<Problem> ProblemList::take_sorted() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& left, const Problem& right) {
    return std::tuple(!left.blocks, left.severity, left.code) <
           std::tuple(!right.blocks, right.severity, right.code);
  });
  return std::move(problems_);
}

std::vector<Problem> find_problems(const ClusterMap& map, const Request& request, bool planned) {
  ProblemList list(map, request, planned);
  find_host_problems(list);
  if (request.over == Over::thunderbolt) {
    find_network_problems(list);
    find_cable_problems(list);
  }
  return list.take_sorted();
}

}  // namespace jackal::tbdiscovery
