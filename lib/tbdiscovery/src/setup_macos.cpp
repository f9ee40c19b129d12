// ifconfig, route and launchctl. An address is set without "alias", so that it takes the place of a
// self-assigned one and becomes the first IPv4 entry among the port's GIDs.
#include <fmt/format.h>

#include "setup_commands.hpp"

namespace jackal::tbdiscovery {
namespace {

constexpr const char* kLabel = "org.jackal.links";
constexpr const char* kPlist = "/Library/LaunchDaemons/org.jackal.links.plist";
const std::string kMask = "255.255.255.252";

Step take_out(const BridgeMember& member) {
  return {{"ifconfig", member.bridge, "deletem", member.interface},
          {},
          {"ifconfig", member.bridge, "addm", member.interface},
          "",
          fmt::format("{} leaves {}, whose other members stay", member.interface, member.bridge)};
}

void add_address(const LinkEnd& end, std::vector<Step>& steps) {
  for (const auto& old : end.stale) {
    steps.push_back({{"ifconfig", end.interface, "inet", to_string(old.address), "delete"},
                     {},
                     {"ifconfig", end.interface, "inet", to_string(old.address), "netmask",
                      netmask_text(old.prefix), "alias"},
                     "",
                     "an address of an earlier cabling goes"});
  }
  if (end.raise) {
    steps.push_back(
        {{"ifconfig", end.interface, "up"}, {}, {"ifconfig", end.interface, "down"}, "", "the port goes up"});
  }
  if (end.has_address) return;
  const auto address = to_string(end.address);
  steps.push_back(
      {{"ifconfig", end.interface, "inet", address, "netmask", kMask},
       {},
       {"ifconfig", end.interface, "inet", address, "delete"},
       "",
       fmt::format("{} gets its address on the cable to {}", end.interface, to_string(end.peer))});
}

void add_route(const LinkEnd& end, std::vector<Step>& steps) {
  if (!end.needs_route && !end.wrong_route) return;
  const auto peer = to_string(end.peer);
  const Argv add = {"route", "-n", "add", "-host", peer, "-interface", end.interface};
  const Argv change = {"route", "-n", "change", "-host", peer, "-interface", end.interface};
  const auto why = fmt::format("{} is reached over {}", peer, end.interface);
  if (!end.wrong_route || end.wrong_route->to.prefix != 32) {
    steps.push_back({add, change, {"route", "-n", "delete", "-host", peer}, "", why});
    return;
  }
  Argv restore = {"route", "-n", "change", "-host", peer};
  if (end.wrong_route->gateway)
    restore.push_back(to_string(*end.wrong_route->gateway));
  else
    restore.insert(restore.end(), {"-interface", end.wrong_route->interface});
  steps.push_back({change, add, std::move(restore), "", why});
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

/// Run once at every start, before anybody logs in. Each command stands alone: one that fails must not keep
/// the others from their ports.
std::string plist_of(const Work& work) {
  std::string script;
  for (const auto& end : work.ends) {
    if (work.has_bridge) script += fmt::format("/sbin/ifconfig bridge0 deletem {}; ", end.interface);
    script +=
        fmt::format("/sbin/ifconfig {} inet {} netmask {}; ", end.interface, to_string(end.address), kMask);
  }
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

std::vector<Step> mac_persist_steps(const Work& work) {
  const std::string target = std::string("system/") + kLabel;
  return {{{"tee", kPlist}, {}, {"rm", "-f", kPlist}, plist_of(work), "the same again at every start"},
          {{"launchctl", "bootstrap", "system", kPlist},
           {"launchctl", "kickstart", "-k", target},
           {"launchctl", "bootout", target},
           "",
           "macOS takes it on"}};
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
