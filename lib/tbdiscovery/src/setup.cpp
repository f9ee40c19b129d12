#include "jackal/tbdiscovery/setup.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "jackal/remote/quote.hpp"
#include "setup_commands.hpp"

namespace jackal::tbdiscovery {
namespace {

/// The route that leads to `peer` most exactly, among those of a cable's size or smaller.
std::optional<Route> exact_route(const NodeReport& report, Ipv4 peer) {
  std::optional<Route> best;
  if (!report.routes) return best;
  for (const auto& route : *report.routes) {
    if (route.is_default || route.to.prefix < 30 || !contains(route.to, peer)) continue;
    if (!best || route.to.prefix > best->to.prefix) best = route;
  }
  return best;
}

LinkEnd link_end(const ClusterMap& map, const PlannedCable& planned, const End& end) {
  const NodeReport& report = map.node(end).report;
  const Port& port = map.port(end);
  const bool is_a = map.cables[planned.cable].a == end;
  LinkEnd work;
  work.interface = port.interface;
  work.address = is_a ? planned.ip_a : planned.ip_b;
  work.peer = is_a ? planned.ip_b : planned.ip_a;
  for (const auto& own : port.addresses) {
    if (own.address == work.address && own.prefix == 30) work.has_address = true;
    // One that a machine gave itself goes by itself.
    else if (!is_link_local(own.address))
      work.stale.push_back(own);
    else if (!work.self_assigned)
      work.self_assigned = own;
  }
  const auto* interface = find_interface(report, port.interface);
  work.raise = interface != nullptr && !interface->up;
  const auto route = exact_route(report, work.peer);
  if (route && route->interface != work.interface) work.wrong_route = route;
  // The route comes with the address; one that was there without it had its route taken away.
  work.needs_route = work.has_address && report.routes && !route;
  return work;
}

/// Every port with a cable to another node leaves its bridge, planned or not: what stays could close a loop.
std::vector<BridgeMember> members_to_take_out(const ClusterMap& map, std::size_t node) {
  std::vector<BridgeMember> members;
  for (const auto& cable : map.cables) {
    if (cable.a.node == cable.b.node || (cable.a.node != node && cable.b.node != node)) continue;
    const Port& port = map.port(cable.end_at(node));
    const bool known = std::any_of(members.begin(), members.end(),
                                   [&](const auto& member) { return member.interface == port.interface; });
    if (!port.bridge.empty() && !known) members.push_back({port.bridge, port.interface});
  }
  return members;
}

Work work_on(const ClusterMap& map, const Plan& plan, std::size_t node) {
  Work work;
  work.members = members_to_take_out(map, node);
  for (const auto& planned : plan.cables) {
    const Cable& cable = map.cables[planned.cable];
    for (const End& end : {cable.a, cable.b}) {
      if (end.node == node) work.ends.push_back(link_end(map, planned, end));
    }
  }
  return work;
}

/// Whether this work would change the interface that carries our connection to the node.
bool would_cut(const Interface& carrier, const Work& work) {
  for (const auto& member : work.members) {
    if (member.bridge == carrier.name || member.interface == carrier.name) return true;
  }
  return std::any_of(work.ends.begin(), work.ends.end(), [&](const LinkEnd& end) {
    return end.interface == carrier.name && (!end.has_address || !end.stale.empty());
  });
}

std::string undo_text(const Change& change) {
  const auto address = to_string(change.address);
  switch (change.kind) {
    case ChangeKind::left_bridge:
      return fmt::format("{} goes back into {}", change.interface, change.bridge);
    case ChangeKind::removed_address:
      return fmt::format("{} gets {} back", change.interface, address);
    case ChangeKind::raised:
      return fmt::format("{} goes down again", change.interface);
    case ChangeKind::added_address:
      return fmt::format("{} loses {}", change.interface, address);
    case ChangeKind::routed:
      return fmt::format("{} is reached as before", address);
    case ChangeKind::wrote_file:
    case ChangeKind::enabled_unit:
      break;
  }
  return "nothing of it happens at the next start";
}

Argv undo_of(System system, const Change& change) {
  return system == System::linux_ ? linux_undo(change) : mac_undo(change);
}

std::string line_of(const Argv& argv) { return "sudo " + remote::quote(argv); }

}  // namespace

Result<std::vector<NodeSetup>> make_setup(const ClusterMap& map, const Plan& plan,
                                          const SetupOptions& options) {
  std::vector<NodeSetup> all;
  if (plan.cables.empty()) return all;
  for (const auto node : plan.ranks) {
    const NodeReport& report = map.nodes[node].report;
    const Work work = work_on(map, plan, node);
    const auto* carrier = management_interface(report);
    if (carrier != nullptr && would_cut(*carrier, work)) {
      return fail({ErrorCode::bad_input, report.node,
                   fmt::format("was reached over {} ({}), which the set-up would change", carrier->name,
                               report.ssh_address ? to_string(*report.ssh_address) : report.ssh_ipv6),
                   fmt::format("Name {} by its address on Ethernet or Wi-Fi.", report.node)});
    }
    const bool linux_node = report.system == System::linux_;
    NodeSetup setup{node, report.node, linux_node ? linux_steps(work) : mac_steps(work),
                    linux_node ? linux_checks(work) : mac_checks(work)};
    const auto lasting = options.lasting.find(report.node);
    const bool lasts = lasting != options.lasting.end() && !lasting->second.empty();
    if ((options.persist || lasts) && !work.ends.empty()) {
      auto persist = linux_node ? linux_lasting_steps(work) : mac_lasting_steps(work);
      if (!lasts || persist.front().input != lasting->second)
        setup.steps.insert(setup.steps.end(), persist.begin(), persist.end());
    }
    for (auto& step : setup.steps) step.undo = undo_of(report.system, *step.change);
    all.push_back(std::move(setup));
  }
  return all;
}

std::vector<Step> undo_steps(const std::vector<Step>& steps) {
  std::vector<Step> undo;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (!step->undo.empty()) undo.push_back({step->undo, {}, {}, "", "undoes: " + step->why, {}});
  }
  return undo;
}

std::vector<Step> undo_steps(const ChangeRecord& record, const NodeReport& now) {
  std::vector<Step> undo;
  for (const auto& change : changes_to_undo(record, now)) {
    undo.push_back({undo_of(record.system, change), {}, {}, "", undo_text(change), {}});
  }
  return undo;
}

std::string lasting_file(System system) {
  return system == System::linux_ ? kLinuxLastingFile : kMacLastingFile;
}

std::string shell_text(const std::vector<Step>& steps) {
  std::string text;
  for (const auto& step : steps) {
    if (!step.input.empty()) {
      text += fmt::format("{} >/dev/null <<'END_OF_FILE'\n{}END_OF_FILE\n", line_of(step.argv), step.input);
      continue;
    }
    text += line_of(step.argv);
    if (!step.otherwise.empty()) text += " || " + line_of(step.otherwise);
    text += "\n";
  }
  return text;
}

std::string shell_text(const NodeSetup& setup) {
  return setup.steps.empty() ? "" : fmt::format("# on {}\n{}", setup.name, shell_text(setup.steps));
}

}  // namespace jackal::tbdiscovery
