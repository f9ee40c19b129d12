// ip and systemctl, for nodes that run Linux (this file runs anywhere).
#include <fmt/format.h>

#include "setup_commands.hpp"

namespace jackal::tbdiscovery {
namespace {

constexpr const char* kUnit = "jackal-links.service";

std::string with_prefix(Ipv4 address, int prefix) { return fmt::format("{}/{}", to_string(address), prefix); }

void add_address(const LinkEnd& end, std::vector<Step>& steps) {
  for (const auto& old : end.stale) {
    Step step;
    step.argv = {"ip", "addr", "del", with_prefix(old.address, old.prefix), "dev", end.interface};
    step.why = "an address of an earlier cabling goes";
    step.change = Change{ChangeKind::removed_address, end.interface, "", old.address, old.prefix, {}, {}, ""};
    steps.push_back(std::move(step));
  }
  if (end.raise) {
    Step step;
    step.argv = {"ip", "link", "set", "dev", end.interface, "up"};
    step.why = "the port goes up";
    step.change = Change{ChangeKind::raised, end.interface, "", {}, 0, {}, {}, ""};
    steps.push_back(std::move(step));
  }
  if (end.has_address) return;
  Step step;
  step.argv = {"ip", "addr", "replace", with_prefix(end.address, 30), "dev", end.interface};
  step.why = fmt::format("{} gets its address on the cable to {}", end.interface, to_string(end.peer));
  step.change = Change{ChangeKind::added_address, end.interface, "", end.address, 30, {}, {}, ""};
  steps.push_back(std::move(step));
}

void add_route(const LinkEnd& end, std::vector<Step>& steps) {
  if (!end.needs_route && !end.wrong_route) return;
  Step step;
  step.argv = {"ip", "route", "replace", with_prefix(end.peer, 32), "dev", end.interface};
  step.why = fmt::format("{} is reached over {}", to_string(end.peer), end.interface);
  step.change = Change{ChangeKind::routed, end.interface, "", end.peer, 32, {}, {}, ""};
  if (end.wrong_route && end.wrong_route->to.prefix == 32) step.change->before = end.wrong_route;
  steps.push_back(std::move(step));
}

std::string unit_of(const Work& work) {
  std::string unit =
      "[Unit]\nDescription=Addresses of the Thunderbolt cables between cluster "
      "nodes\nAfter=network.target\n\n"
      "[Service]\nType=oneshot\nRemainAfterExit=yes\n";
  for (const auto& end : work.ends) {
    unit += fmt::format("ExecStart=-/usr/sbin/ip link set dev {} nomaster\n", end.interface);
    unit += fmt::format("ExecStart=-/usr/sbin/ip addr replace {} dev {}\n", with_prefix(end.address, 30),
                        end.interface);
    unit += fmt::format("ExecStart=-/usr/sbin/ip link set dev {} up\n", end.interface);
  }
  return unit + "\n[Install]\nWantedBy=multi-user.target\n";
}

}  // namespace

Argv linux_undo(const Change& change) {
  const auto address = with_prefix(change.address, change.prefix);
  switch (change.kind) {
    case ChangeKind::left_bridge:
      return {"ip", "link", "set", "dev", change.interface, "master", change.bridge};
    case ChangeKind::removed_address:
      return {"ip", "addr", "replace", address, "dev", change.interface};
    case ChangeKind::raised:
      return {"ip", "link", "set", "dev", change.interface, "down"};
    case ChangeKind::added_address:
      return {"ip", "addr", "del", address, "dev", change.interface};
    case ChangeKind::routed: {
      if (!change.before) return {"ip", "route", "del", address, "dev", change.interface};
      Argv argv = {"ip", "route", "replace", address};
      if (change.before->gateway) argv.insert(argv.end(), {"via", to_string(*change.before->gateway)});
      argv.insert(argv.end(), {"dev", change.before->interface});
      return argv;
    }
    case ChangeKind::enabled_unit:
      return {"systemctl", "disable", change.path};
    case ChangeKind::wrote_file:
      break;
  }
  return {"rm", "-f", change.path};
}

std::vector<Step> linux_steps(const Work& work) {
  std::vector<Step> steps;
  for (const auto& member : work.members) {
    Step step;
    step.argv = {"ip", "link", "set", "dev", member.interface, "nomaster"};
    step.why = fmt::format("{} leaves {}, whose other members stay", member.interface, member.bridge);
    step.change = Change{ChangeKind::left_bridge, member.interface, member.bridge, {}, 0, {}, {}, ""};
    steps.push_back(std::move(step));
  }
  for (const auto& end : work.ends) add_address(end, steps);
  for (const auto& end : work.ends) add_route(end, steps);
  return steps;
}

std::vector<Step> linux_lasting_steps(const Work& work) {
  Step file;
  file.argv = {"tee", kLinuxLastingFile};
  file.input = unit_of(work);
  file.why = "the same again at every start";
  file.change = Change{ChangeKind::wrote_file, "", "", {}, 0, {}, {}, kLinuxLastingFile};
  Step unit;
  unit.argv = {"systemctl", "enable", kUnit};
  unit.why = "systemd takes it on";
  unit.change = Change{ChangeKind::enabled_unit, "", "", {}, 0, {}, {}, kUnit};
  return {file, unit};
}

std::vector<Check> linux_checks(const Work& work) {
  std::vector<Check> checks;
  for (const auto& end : work.ends) {
    checks.push_back({{"ip", "-4", "addr", "show", "dev", end.interface},
                      "inet " + with_prefix(end.address, 30),
                      fmt::format("{} has its address", end.interface)});
    checks.push_back({{"ip", "route", "get", to_string(end.peer)},
                      fmt::format(" dev {} ", end.interface),
                      fmt::format("{} is reached over {}", to_string(end.peer), end.interface)});
  }
  return checks;
}

}  // namespace jackal::tbdiscovery
