// What is wrong with one node, whatever it is cabled to.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "capability.hpp"
#include "jackal/tbdiscovery/setup.hpp"
#include "problem_list.hpp"

namespace jackal::tbdiscovery {
namespace {

bool has_cable(const ClusterMap& map, std::size_t node) {
  return std::any_of(map.cables.begin(), map.cables.end(), [&](const Cable& cable) {
    return cable.a.node != cable.b.node && (cable.a.node == node || cable.b.node == node);
  });
}

std::string machine_of(const Node& node) {
  return node.report.model.empty() ? node.name() : fmt::format("{} ({})", node.name(), node.report.model);
}

void check_reachable(ProblemList& list, std::size_t node) {
  const auto& failure = list.map.nodes[node].report.failure;
  if (!failure) return;
  const bool refused = failure->code == ErrorCode::unauthenticated;
  auto& problem = list.at_node(
      refused ? ProblemCode::host_unauthenticated : ProblemCode::host_unreachable, Severity::error, node,
      {fmt::format("{}: {}", list.map.nodes[node].name(), failure->what), "Nothing is known about this node.",
       !failure->hint.empty() ? failure->hint
       : refused              ? "Make \"ssh HOST true\" work without a password, then run this again."
                              : "Check its name, that it is awake, and that Remote Login is on."});
  problem.blocks = !list.request.allow_subset;
}

void check_readable(ProblemList& list, std::size_t node) {
  const NodeReport& report = list.map.nodes[node].report;
  if (report.failure) return;
  for (const auto& finding : report.findings) {
    list.at_node(
        ProblemCode::unreadable_probe, Severity::warning, node,
        {fmt::format("{}: {} {}", report.node, finding.file, finding.text),
         "What this file would have said is missing from everything below.",
         fmt::format("Look at {}, or save the probes with --save-probes and report it.", finding.file)});
  }
  if (report.buses || list.request.over == Over::ethernet) return;
  const bool mac = report.system != System::linux_;
  list.at_node(
      ProblemCode::no_thunderbolt_tree, Severity::error, node,
      {fmt::format("{} did not say what is on its Thunderbolt ports", report.node),
       "Its cables can only be seen from their other ends, and not which of its ports they are in.",
       mac ? fmt::format("Run \"system_profiler SPThunderboltDataType\" on {} and see what it prints.",
                         report.node)
           : fmt::format("Load the thunderbolt module on {}; /sys/bus/thunderbolt/devices must not be empty.",
                         report.node)});
}

ProblemText unsupported_text(const Node& node) {
  if (node.report.system == System::linux_) {
    return {fmt::format("{} has no RDMA device", node.name()), "RDMA needs one on each end of a cable.",
            "Use --backend ring: TCP over the same cables."};
  }
  const auto generation = node.ports.empty() ? Generation::unknown : node.ports.front().generation;
  return {fmt::format("{} has {} ports, which can never do RDMA", machine_of(node), to_string(generation)),
          "RDMA over Thunderbolt needs Thunderbolt 5 hardware; rdma_ctl does not change that.",
          "Use --backend ring: TCP over the same cables. For jaccl, leave this machine out."};
}

void check_rdma(ProblemList& list, std::size_t index) {
  const Node& node = list.map.nodes[index];
  if (!has_cable(list.map, index) || list.request.over == Over::ethernet) return;
  const auto add = [&](ProblemCode code, ProblemText text) {
    list.at_node(code, list.rdma_severity(), index, std::move(text)).blocks = list.rdma_blocks();
  };
  const std::string recovery = fmt::format(
      "Start {} in Recovery (hold the power button), open Utilities > Terminal, run \"rdma_ctl enable\", "
      "restart. "
      "It cannot be done over the network.",
      node.name());
  switch (node.rdma) {
    case Rdma::unsupported:
      add(ProblemCode::rdma_unsupported, unsupported_text(node));
      break;
    case Rdma::old_system:
      add(ProblemCode::old_macos,
          {fmt::format("{} runs macOS {}", node.name(), node.report.os_version),
           "RDMA over Thunderbolt came with macOS 26.2.", fmt::format("Update macOS on {}.", node.name())});
      break;
    case Rdma::disabled:
      if (node.rdma_seen_by_peers) {
        add(ProblemCode::rdma_disabled_seen,
            {fmt::format("{} does not offer RDMA to the machines it is cabled to", node.name()),
             "A port is active only when RDMA is enabled on both ends of its cable.", recovery});
      } else {
        add(ProblemCode::rdma_disabled,
            {fmt::format("RDMA is disabled on {}", machine_of(node)),
             "Its RDMA ports stay down, and so do those at the other end of its cables.", recovery});
      }
      break;
    case Rdma::no_device:
      add(ProblemCode::rdma_no_device,
          {fmt::format("RDMA is switched on on {}, but no RDMA device is there", node.name()),
           "The switch takes effect when macOS starts.", fmt::format("Restart {}.", node.name())});
      break;
    case Rdma::unknown:
    case Rdma::enabled:
      break;
  }
}

void check_sleep_and_sudo(ProblemList& list, std::size_t node) {
  const NodeReport& report = list.map.nodes[node].report;
  if (report.sleep_minutes.value_or(0) > 0) {
    list.at_node(ProblemCode::sleep_enabled, Severity::notice, node,
                 {fmt::format("{} goes to sleep after {} minutes", report.node, *report.sleep_minutes),
                  "A sleeping machine is lost to the job, and nothing on a Thunderbolt cable wakes it.",
                  fmt::format("On {}: sudo pmset -a sleep 0", report.node)});
  }
  if (report.sudo != false || list.request.over == Over::ethernet) return;
  auto& problem = list.at_node(
      ProblemCode::sudo_password, list.request.auto_setup ? Severity::error : Severity::notice, node,
      {fmt::format("sudo asks for a password on {}", report.node), "The links cannot be set up from here.",
       fmt::format("Run the printed commands on {} yourself, or \"sudo visudo -f /etc/sudoers.d/jackal\" "
                   "there and add:\n{}",
                   report.node, sudoers_lines(report))});
  problem.blocks = list.request.auto_setup;
}

void check_versions(ProblemList& list) {
  std::set<std::string> versions;
  std::string each;
  for (const auto& node : list.map.nodes) {
    if (node.report.system != System::macos || node.report.os_version.empty()) continue;
    versions.insert(node.report.os_version);
    each += fmt::format("{}{} {}", each.empty() ? "" : ", ", node.name(), node.report.os_version);
  }
  if (versions.size() < 2) return;
  list.add(
      ProblemCode::mixed_macos, Severity::notice,
      {fmt::format("the machines run different versions of macOS: {}", each),
       "RDMA between different versions is tested by nobody.", "Bring all of them to the same version."});
}

void check_same_machine(ProblemList& list) {
  for (const auto& [first, second] : list.map.same_machine) {
    const auto& nodes = list.map.nodes;
    list.at_node(ProblemCode::same_machine_twice, Severity::error, second,
                 {fmt::format("{} and {} are the same machine", nodes[first].name(), nodes[second].name()),
                  "Both report the same Thunderbolt domains.",
                  fmt::format("Name it once; for several ranks on it use launch -n.")})
        .blocks = true;
  }
}

}  // namespace

std::string sudoers_lines(const NodeReport& report) {
  const auto at = report.node.find('@');
  const bool linux_node = report.system == System::linux_;
  const auto who = at != std::string::npos ? report.node.substr(0, at) : linux_node ? "%sudo" : "%admin";
  const auto file = lasting_file(report.system);
  const auto commands =
      linux_node
          ? fmt::format(
                "/usr/bin/true, /usr/sbin/ip, /usr/bin/ip, /usr/bin/tee {0}, /usr/bin/rm -f {0}, "
                "/usr/bin/systemctl enable jackal-links.service, "
                "/usr/bin/systemctl disable jackal-links.service",
                file)
          : fmt::format("/usr/bin/true, /sbin/ifconfig, /sbin/route, /usr/bin/tee {0}, /bin/rm -f {0}", file);
  return fmt::format("{} ALL=(root) NOPASSWD: {}", who, commands);
}

void find_host_problems(ProblemList& list) {
  for (std::size_t node = 0; node < list.map.nodes.size(); ++node) {
    check_reachable(list, node);
    check_readable(list, node);
    check_rdma(list, node);
    check_sleep_and_sudo(list, node);
  }
  check_versions(list);
  check_same_machine(list);
}

}  // namespace jackal::tbdiscovery
