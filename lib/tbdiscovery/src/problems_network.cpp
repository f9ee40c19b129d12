// What the nodes' networks do with their Thunderbolt ports: bridges and the loops they close, Internet
// Sharing, other programs that manage them, and the way over which we reached the machine.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "jackal/base/text.hpp"
#include "jackal/remote/quote.hpp"
#include "problem_list.hpp"

namespace jackal::tbdiscovery {
namespace {

bool between_nodes(const Cable& cable) { return cable.a.node != cable.b.node; }

/// A bridge of a node, as a vertex of the graph that bridged cables make.
using Bridge = std::pair<std::size_t, std::string>;

class Forest {
public:
  Bridge root(const Bridge& bridge) {
    auto& parent = parents_.try_emplace(bridge, bridge).first->second;
    if (parent == bridge) return bridge;
    const Bridge above = root(parent);
    return parents_[bridge] = above;
  }
  /// False when they were joined already, so that this closes a loop.
  bool join(const Bridge& a, const Bridge& b) {
    const Bridge left = root(a);
    const Bridge right = root(b);
    parents_[left] = right;
    return left != right;
  }

private:
  std::map<Bridge, Bridge> parents_;
};

/// Internet Sharing makes bridges of its own, numbered from 100.
bool is_shared(const std::string& bridge) {
  const auto number = bridge.find("bridge") == 0 ? parse_integer<int>(bridge.substr(6)) : std::nullopt;
  return number && *number >= 100;
}

void check_membership(ProblemList& list, std::size_t cable, const End& end) {
  const Port& port = list.map.port(end);
  if (port.bridge.empty()) return;
  const auto what =
      fmt::format("{} ({}) is a member of {}", describe(list.map, end), port.interface, port.bridge);
  if (is_shared(port.bridge)) {
    list.at_cable(ProblemCode::internet_sharing, Severity::warning, cable, end,
                  {what + ", which Internet Sharing made",
                   "It hands out addresses on the cable, and takes the port back whenever it starts.",
                   fmt::format("Switch Internet Sharing off on {} (System Settings > General > Sharing).",
                               list.map.node(end).name())});
    return;
  }
  list.at_cable(
      ProblemCode::bridge_owns_port, Severity::warning, cable, end,
      {what,
       port.gids_known && !port.has_ipv4_gid()
           ? "A member has no address of its own, so RDMA finds no GID on it."
           : "The bridge mixes the traffic of all its cables.",
       "Set the links up; the commands take this port out of the bridge and leave its other members."});
}

void check_bridges(ProblemList& list) {
  Forest forest;
  for (std::size_t i = 0; i < list.map.cables.size(); ++i) {
    const Cable& cable = list.map.cables[i];
    const auto& a = list.map.port(cable.a).bridge;
    const auto& b = list.map.port(cable.b).bridge;
    if (!a.empty() && !b.empty() && !forest.join({cable.a.node, a}, {cable.b.node, b})) {
      list.at_cable(
          ProblemCode::bridge_loop, Severity::error, i, cable.a,
          {fmt::format("the bridges {} of {} and {} of {} are joined in a loop by the cable {}", a,
                       list.map.node(cable.a).name(), b, list.map.node(cable.b).name(),
                       describe(list.map, cable)),
           "Nothing stops broadcasts in it: they multiply until the network is unusable.",
           "Set the links up (the commands take these ports out of the bridges), or unplug this cable "
           "until then."});
    }
    if (!between_nodes(cable)) continue;
    check_membership(list, i, cable.a);
    check_membership(list, i, cable.b);
  }
}

/// The port of `node` whose interface this is, or one whose bridge it is.
std::optional<End> port_behind(const ClusterMap& map, std::size_t node, const std::string& interface) {
  if (interface.empty()) return std::nullopt;
  const auto& ports = map.nodes[node].ports;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].interface == interface || ports[i].bridge == interface) return End{node, i};
  }
  return std::nullopt;
}

const Interface* interface_with(const NodeReport& report, Ipv4 address) {
  if (!report.interfaces) return nullptr;
  for (const auto& interface : *report.interfaces) {
    for (const auto& own : interface.addresses) {
      if (own.address == address) return &interface;
    }
  }
  return nullptr;
}

std::optional<std::size_t> node_with(const ClusterMap& map, Ipv4 address) {
  for (std::size_t node = 0; node < map.nodes.size(); ++node) {
    if (interface_with(map.nodes[node].report, address)) return node;
  }
  return std::nullopt;
}

void check_sharing(ProblemList& list) {
  for (std::size_t node = 0; node < list.map.nodes.size(); ++node) {
    const NodeReport& report = list.map.nodes[node].report;
    if (!report.routes) continue;
    for (const auto& route : *report.routes) {
      if (!route.is_default || !route.gateway) continue;
      const auto port = port_behind(list.map, node, route.interface);
      if (!port) continue;
      const auto giver = node_with(list.map, *route.gateway);
      const std::string from = giver ? list.map.nodes[*giver].name() : "the other end of that cable";
      list.at_port(
          ProblemCode::internet_sharing, Severity::warning, *port,
          {fmt::format("{} takes a default route (via {}) over its port {} ({}) from {}", report.node,
                       to_string(*route.gateway), list.map.port(*port).receptacle, route.interface, from),
           "Internet Sharing hands out addresses on the cable; traffic for everywhere else may leave that "
           "way, and the address changes by itself.",
           fmt::format("Switch Internet Sharing off on {} (System Settings > General > Sharing).", from)});
    }
  }
}

void check_managers(ProblemList& list) {
  for (std::size_t node = 0; node < list.map.nodes.size(); ++node) {
    const NodeReport& report = list.map.nodes[node].report;
    if (!report.services) continue;
    for (std::size_t i = 0; i < list.map.nodes[node].ports.size(); ++i) {
      const Port& port = list.map.nodes[node].ports[i];
      if (port.receptacle.empty()) continue;
      std::vector<std::string> names;
      for (const auto& service : *report.services) {
        if (service.enabled && service.hardware_port == "Thunderbolt " + port.receptacle)
          names.push_back(service.name);
      }
      const bool exo = std::any_of(names.begin(), names.end(),
                                   [](const auto& name) { return name.substr(0, 4) == "EXO "; });
      if (!exo && names.size() < 2) continue;
      list.at_port(
          ProblemCode::foreign_manager, Severity::warning, {node, i},
          {fmt::format("{}: {} configured by {}", describe(list.map, End{node, i}),
                       exo ? "the port is" : "more than one network service is", fmt::join(names, ", ")),
           exo ? "exo's background service gives the port back to DHCP every half hour, which undoes a "
                 "set-up."
               : "Each of them gives the port an address of its own, now or after a restart.",
           exo ? fmt::format("On {}: sudo launchctl bootout system/io.exo.networksetup", report.node)
               : fmt::format("Keep one: sudo networksetup -removenetworkservice {} on {}.",
                             remote::quote(names[0]), report.node)});
    }
  }
}

void check_management(ProblemList& list) {
  for (std::size_t node = 0; node < list.map.nodes.size(); ++node) {
    const NodeReport& report = list.map.nodes[node].report;
    const Interface* interface = management_interface(report);
    const auto port = interface ? port_behind(list.map, node, interface->name) : std::nullopt;
    if (!port) continue;
    list.at_port(ProblemCode::management_on_cable, Severity::error, *port,
                 {fmt::format("{} was reached over its port {} ({}, {}), which is a Thunderbolt cable",
                              report.node, list.map.port(*port).receptacle, interface->name,
                              report.ssh_address ? to_string(*report.ssh_address) : report.ssh_ipv6),
                  "Setting up that cable would cut the connection over which it is set up.",
                  fmt::format("Name {} by its address on Ethernet or Wi-Fi.", report.node)})
        .blocks = list.request.auto_setup;
  }
}

}  // namespace

void find_network_problems(ProblemList& list) {
  check_bridges(list);
  check_sharing(list);
  check_managers(list);
  check_management(list);
}

}  // namespace jackal::tbdiscovery
