// ifconfig, route and launchctl. An address is set without "alias", so that it takes the place of a
// self-assigned one and becomes the first IPv4 entry among the port's GIDs.
#include <fmt/format.h>

#include "setup_commands.hpp"

namespace jackal::tbdiscovery {
namespace {

constexpr const char* kLabel = "org.jackal.links";
const std::string kMask = "255.255.255.252";

Argv set_address(const std::string& interface, const InterfaceAddress& own) {
  return {"ifconfig", interface, "inet", to_string(own.address), "netmask", netmask_text(own.prefix)};
}

Step take_out(const BridgeMember& member) {
  Step step;
  step.argv = {"ifconfig", member.bridge, "deletem", member.interface};
  step.why = fmt::format("{} leaves {}, whose other members stay", member.interface, member.bridge);
  step.change = Change{ChangeKind::left_bridge, member.interface, member.bridge, {}, 0, {}, {}, ""};
  return step;
}

void add_address(const LinkEnd& end, std::vector<Step>& steps) {
  for (const auto& old : end.stale) {
    Step step;
    step.argv = {"ifconfig", end.interface, "inet", to_string(old.address), "delete"};
    step.why = "an address of an earlier cabling goes";
    step.change = Change{ChangeKind::removed_address, end.interface, "", old.address, old.prefix, {}, {}, ""};
    steps.push_back(std::move(step));
  }
  if (end.raise) {
    Step step;
    step.argv = {"ifconfig", end.interface, "up"};
    step.why = "the port goes up";
    step.change = Change{ChangeKind::raised, end.interface, "", {}, 0, {}, {}, ""};
    steps.push_back(std::move(step));
  }
  if (end.has_address) return;
  Step step;
  step.argv = set_address(end.interface, {end.address, 30});
  step.why = fmt::format("{} gets its address on the cable to {}", end.interface, to_string(end.peer));
  step.change =
      Change{ChangeKind::added_address, end.interface, "", end.address, 30, end.self_assigned, {}, ""};
  steps.push_back(std::move(step));
}

void add_route(const LinkEnd& end, std::vector<Step>& steps) {
  if (!end.needs_route && !end.wrong_route) return;
  const auto peer = to_string(end.peer);
  const Argv add = {"route", "-n", "add", "-host", peer, "-interface", end.interface};
  const Argv change = {"route", "-n", "change", "-host", peer, "-interface", end.interface};
  const bool is_there = end.wrong_route && end.wrong_route->to.prefix == 32;
  Step step;
  step.argv = is_there ? change : add;
  step.otherwise = is_there ? add : change;
  step.why = fmt::format("{} is reached over {}", peer, end.interface);
  step.change = Change{ChangeKind::routed, end.interface, "", end.peer, 32, {}, {}, ""};
  if (is_there) step.change->before = end.wrong_route;
  steps.push_back(std::move(step));
}

std::string xml_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

/// Run at every start, before anybody logs in. Each command stands alone: one that fails must not keep the
/// others from their ports. macOS may put the ports into the bridge only after we ran: hence several times.
std::string plist_of(const Work& work) {
  // An undo takes the file away and must not be undone in its turn.
  std::string script =
      fmt::format("for pause in 0 1 2 4 8 15 30; do sleep $pause; [ -e {} ] || exit 0; ", kMacLastingFile);
  for (const auto& end : work.ends) {
    const auto address = to_string(end.address);
    script += fmt::format("/sbin/ifconfig bridge0 deletem {}; ", end.interface);
    script +=
        fmt::format("/sbin/ifconfig {0} | grep -q 'inet {1} ' || /sbin/ifconfig {0} inet {1} netmask {2}; ",
                    end.interface, address, kMask);
  }
  script += "done; ";
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
      "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
      "<plist version=\"1.0\">\n<dict>\n  <key>Label</key>\n  <string>{}</string>\n  "
      "<key>ProgramArguments</key>\n"
      "  <array>\n    <string>/bin/sh</string>\n    <string>-c</string>\n    <string>{}true</string>\n  "
      "</array>\n"
      "  <key>RunAtLoad</key>\n  <true/>\n</dict>\n</plist>\n",
      kLabel, xml_text(script));
}

}  // namespace

std::vector<Step> mac_steps(const Work& work) {
  std::vector<Step> steps;
  for (const auto& member : work.members) steps.push_back(take_out(member));
  for (const auto& end : work.ends) add_address(end, steps);
  for (const auto& end : work.ends) add_route(end, steps);
  return steps;
}

Argv mac_undo(const Change& change) {
  const auto address = to_string(change.address);
  switch (change.kind) {
    case ChangeKind::left_bridge:
      return {"ifconfig", change.bridge, "addm", change.interface};
    case ChangeKind::removed_address: {
      auto argv = set_address(change.interface, {change.address, change.prefix});
      argv.emplace_back("alias");
      return argv;
    }
    case ChangeKind::raised:
      return {"ifconfig", change.interface, "down"};
    case ChangeKind::added_address:
      if (change.displaced) return set_address(change.interface, *change.displaced);
      return {"ifconfig", change.interface, "inet", address, "delete"};
    case ChangeKind::routed:
      if (!change.before) return {"route", "-n", "delete", "-host", address};
      if (change.before->gateway)
        return {"route", "-n", "change", "-host", address, to_string(*change.before->gateway)};
      return {"route", "-n", "change", "-host", address, "-interface", change.before->interface};
    case ChangeKind::wrote_file:
    case ChangeKind::enabled_unit:
      break;
  }
  return {"rm", "-f", change.path};
}

std::vector<Step> mac_lasting_steps(const Work& work) {
  // launchd reads the directory at every start; nothing has to be loaded now.
  Step step;
  step.argv = {"tee", kMacLastingFile};
  step.input = plist_of(work);
  step.why = "the same again at every start";
  step.change = Change{ChangeKind::wrote_file, "", "", {}, 0, {}, {}, kMacLastingFile};
  return {step};
}

std::vector<Check> mac_checks(const Work& work) {
  std::vector<Check> checks;
  for (const auto& end : work.ends) {
    checks.push_back({{"ifconfig", end.interface},
                      fmt::format("inet {} netmask 0xfffffffc", to_string(end.address)),
                      fmt::format("{} has its address", end.interface)});
    checks.push_back({{"route", "-n", "get", to_string(end.peer)},
                      fmt::format("interface: {}\n", end.interface),
                      fmt::format("{} is reached over {}", to_string(end.peer), end.interface)});
  }
  return checks;
}

}  // namespace jackal::tbdiscovery
