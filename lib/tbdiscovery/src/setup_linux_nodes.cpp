// ip and systemctl, for nodes that run Linux (this file runs anywhere).
#include <fmt/format.h>

#include "setup_commands.hpp"

namespace jackal::tbdiscovery {
namespace {

constexpr const char* kUnit = "jackal-links.service";
constexpr const char* kUnitFile = "/etc/systemd/system/jackal-links.service";

std::string with_prefix(Ipv4 address, int prefix) { return fmt::format("{}/{}", to_string(address), prefix); }

void add_address(const LinkEnd& end, std::vector<Step>& steps) {
  for (const auto& old : end.stale) {
    const auto address = with_prefix(old.address, old.prefix);
    steps.push_back({{"ip", "addr", "del", address, "dev", end.interface},
                     {},
                     {"ip", "addr", "replace", address, "dev", end.interface},
                     "",
                     "an address of an earlier cabling goes"});
  }
  if (end.raise) {
    steps.push_back({{"ip", "link", "set", "dev", end.interface, "up"},
                     {},
                     {"ip", "link", "set", "dev", end.interface, "down"},
                     "",
                     "the port goes up"});
  }
  if (end.has_address) return;
  const auto address = with_prefix(end.address, 30);
  steps.push_back(
      {{"ip", "addr", "replace", address, "dev", end.interface},
       {},
       {"ip", "addr", "del", address, "dev", end.interface},
       "",
       fmt::format("{} gets its address on the cable to {}", end.interface, to_string(end.peer))});
}

void add_route(const LinkEnd& end, std::vector<Step>& steps) {
  if (!end.needs_route && !end.wrong_route) return;
  const auto peer = with_prefix(end.peer, 32);
  Argv undo = {"ip", "route", "del", peer, "dev", end.interface};
  if (end.wrong_route && end.wrong_route->to.prefix == 32) {
    undo = {"ip", "route", "replace", peer};
    if (end.wrong_route->gateway) undo.insert(undo.end(), {"via", to_string(*end.wrong_route->gateway)});
    undo.insert(undo.end(), {"dev", end.wrong_route->interface});
  }
  steps.push_back({{"ip", "route", "replace", peer, "dev", end.interface},
                   {},
                   std::move(undo),
                   "",
                   fmt::format("{} is reached over {}", to_string(end.peer), end.interface)});
}

std::string unit_of(const Work& work) {
  std::string unit =
      "[Unit]\nDescription=Addresses of the Thunderbolt cables between cluster "
      "nodes\nAfter=network.target\n\n"
      "[Service]\nType=oneshot\nRemainAfterExit=yes\n";
  for (const auto& end : work.ends) {
    if (work.has_bridge)
      unit += fmt::format("ExecStart=-/usr/sbin/ip link set dev {} nomaster\n", end.interface);
    unit += fmt::format("ExecStart=-/usr/sbin/ip addr replace {} dev {}\n", with_prefix(end.address, 30),
                        end.interface);
    unit += fmt::format("ExecStart=-/usr/sbin/ip link set dev {} up\n", end.interface);
  }
  return unit + "\n[Install]\nWantedBy=multi-user.target\n";
}

}  // namespace

std::vector<Step> linux_steps(const Work& work) {
  std::vector<Step> steps;
  for (const auto& member : work.members) {
    steps.push_back({{"ip", "link", "set", "dev", member.interface, "nomaster"},
                     {},
                     {"ip", "link", "set", "dev", member.interface, "master", member.bridge},
                     "",
                     fmt::format("{} leaves {}, whose other members stay", member.interface, member.bridge)});
  }
  for (const auto& end : work.ends) add_address(end, steps);
  for (const auto& end : work.ends) add_route(end, steps);
  return steps;
}

std::vector<Step> linux_persist_steps(const Work& work) {
  return {{{"tee", kUnitFile}, {}, {"rm", "-f", kUnitFile}, unit_of(work), "the same again at every start"},
          {{"systemctl", "enable", kUnit}, {}, {"systemctl", "disable", kUnit}, "", "systemd takes it on"}};
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
