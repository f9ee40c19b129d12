// What is wrong with a cable, and which cables the cabling lacks.
#include <fmt/format.h>

#include <algorithm>

#include "problem_list.hpp"

namespace jackal::tbdiscovery {
namespace {

using Pair = std::pair<std::size_t, std::size_t>;

bool between_nodes(const Cable& cable) { return cable.a.node != cable.b.node; }

bool thunderbolt5(const ClusterMap& map, const Cable& cable) {
  return map.port(cable.a).generation == Generation::thunderbolt5 &&
         map.port(cable.b).generation == Generation::thunderbolt5;
}

bool both_enabled(const ClusterMap& map, const Cable& cable) {
  return map.node(cable.a).rdma == Rdma::enabled && map.node(cable.b).rdma == Rdma::enabled;
}

void check_shape(ProblemList& list, std::size_t index) {
  const Cable& cable = list.map.cables[index];
  const auto name = describe(list.map, cable);
  if (!between_nodes(cable)) {
    list.at_cable(
        ProblemCode::cable_to_itself, Severity::warning, index, cable.a,
        {fmt::format("the cable {} joins {} with itself", name, list.map.node(cable.a).name()),
         "It takes two ports and carries nothing.", "Move one end to another machine, or unplug it."});
    return;
  }
  if (!cable.through.empty()) {
    list.at_cable(ProblemCode::hub_between, list.rdma_severity(), index, cable.a,
                  {fmt::format("the cable {} passes through {}", name, fmt::join(cable.through, ", ")),
                   "Only IP is known to work through a hub or dock, and it limits the speed.",
                   "Join the two ports with one cable."});
    return;
  }
  const bool domains_known =
      !list.map.port(cable.a).domain_uuid.empty() && !list.map.port(cable.b).domain_uuid.empty();
  if (cable.seen_by_a != cable.seen_by_b && domains_known) {
    const End& blind = cable.seen_by_a ? cable.b : cable.a;
    const End& other = cable.seen_by_a ? cable.a : cable.b;
    list.at_cable(ProblemCode::cable_seen_once, Severity::warning, index, blind,
                  {fmt::format("{} sees {}, but {} sees nothing", describe(list.map, other),
                               list.map.node(blind).name(), describe(list.map, blind)),
                   "The link between them is half up; it may not carry data.",
                   fmt::format("Unplug the cable {} at both ends and plug it in again.", name)});
  }
  const double expected = thunderbolt5(list.map, cable) ? 80 : 40;
  if (cable.gbps > 0 && cable.gbps < expected) {
    list.at_cable(
        ProblemCode::cable_slow, Severity::warning, index, cable.a,
        {fmt::format("the cable {} runs at {:g} Gb/s, its ports could do {:g}", name, cable.gbps, expected),
         "Everything that uses this cable runs at that speed.",
         fmt::format("Use a Thunderbolt {} cable of at most one metre, and plug it in again.",
                     expected == 80 ? 5 : 4)});
  }
}

void check_offers(ProblemList& list, std::size_t index, const End& end, std::optional<bool> offers) {
  const Cable& cable = list.map.cables[index];
  // Where the node itself says why, that is the better advice.
  if (offers != false || !both_enabled(list.map, cable) || !thunderbolt5(list.map, cable)) return;
  list.at_cable(ProblemCode::rdma_disabled_seen, list.rdma_severity(), index, end,
                {fmt::format("{} says that RDMA is enabled, but does not offer it on {}",
                             list.map.node(end).name(), describe(list.map, end)),
                 "The port stays down on both ends of the cable.",
                 fmt::format("Restart {}, then plug the cable in again.", list.map.node(end).name())})
      .blocks = list.rdma_blocks();
}

void check_end(ProblemList& list, std::size_t index, const End& end) {
  const Cable& cable = list.map.cables[index];
  const Port& port = list.map.port(end);
  const auto name = describe(list.map, end);
  if (port.interface.empty()) {
    const bool table = list.map.node(end).report.hardware_ports.has_value();
    list.at_cable(
        ProblemCode::port_without_interface, Severity::warning, index, end,
        {fmt::format("the network interface of {} is not known", name),
         "Without it the cable can be neither set up nor used.",
         table ? fmt::format("Add the port to the network services: networksetup -detectnewhardware on {}.",
                             list.map.node(end).name())
               : "Save \"networksetup -listallhardwareports\" as hardware_ports.txt."});
    return;
  }
  const bool offered = cable.a_offers_rdma != false && cable.b_offers_rdma != false;
  const bool rdma_down = port.rdma_state == PortState::down && cable.through.empty() &&
                         both_enabled(list.map, cable) && offered && thunderbolt5(list.map, cable);
  if (port.active == false) {
    list.at_cable(
        ProblemCode::port_down, Severity::warning, index, end,
        {fmt::format("{} ({}) has no link, though a cable is in it", name, port.interface),
         "Neither TCP nor RDMA can use the cable.", "Unplug it at both ends and plug it in again."});
    return;
  }
  if (rdma_down) {
    list.at_cable(
            ProblemCode::port_down, list.rdma_severity(), index, end,
            {fmt::format("the RDMA port of {} ({}) is down, though RDMA is enabled on both ends", name,
                         port.rdma_device),
             "RDMA cannot use the cable; TCP can.",
             "Unplug the cable at both ends and plug it in again; if it stays down, restart both machines."})
        .blocks = list.rdma_blocks();
    return;
  }
  if (rdma_obstacle(list.map, cable).empty() && port.gids_known && !port.has_ipv4_gid() &&
      port.bridge.empty()) {
    list.at_cable(
        ProblemCode::no_ipv4_gid, Severity::notice, index, end,
        {fmt::format("{} ({}) has no IPv4 address yet, so RDMA finds no GID to use", name, port.interface),
         "A connection over this port would be refused with \"invalid argument\".",
         "Set the links up: the commands give it an address, and the GID follows."});
  }
}

void check_strangers(ProblemList& list) {
  for (const auto& stranger : list.map.strangers) {
    const auto model = stranger.model.empty() ? std::string() : " (" + stranger.model + ")";
    list.at_port(ProblemCode::unlisted_machine, Severity::notice, stranger.port,
                 {fmt::format("{} is cabled to a {}{} that is not in the list of hosts",
                              describe(list.map, stranger.port),
                              stranger.name.empty() ? "computer" : stranger.name, model),
                  "That machine and its cables are left out of the plan.",
                  "Add it to --hosts if it belongs to the cluster."});
  }
}

std::vector<std::size_t> components(const ClusterMap& map) {
  std::vector<std::size_t> group(map.nodes.size());
  for (std::size_t i = 0; i < group.size(); ++i) group[i] = i;
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& cable : map.cables) {
      const auto low = std::min(group[cable.a.node], group[cable.b.node]);
      changed = changed || group[cable.a.node] != low || group[cable.b.node] != low;
      group[cable.a.node] = group[cable.b.node] = low;
    }
  }
  return group;
}

std::string join_advice(const ClusterMap& map, std::size_t a, std::size_t b, std::vector<End>& taken) {
  const auto ports = free_ports(map, a, b, taken);
  if (ports.a && ports.b) {
    taken.push_back({a, *ports.a});
    taken.push_back({b, *ports.b});
    return fmt::format("Join {} and {} with a cable.", describe(map, End{a, *ports.a}),
                       describe(map, End{b, *ports.b}));
  }
  const auto& full = map.nodes[ports.a ? b : a].name();
  return fmt::format("{} has no free port: unplug something there, then join it with {}.", full,
                     map.nodes[ports.a ? a : b].name());
}

void check_connected(ProblemList& list) {
  const auto& map = list.map;
  const auto group = components(map);
  std::vector<End> taken;
  std::vector<std::size_t> reported;
  for (std::size_t node = 0; node < map.nodes.size(); ++node) {
    if (group[node] == 0) continue;
    if (std::find(reported.begin(), reported.end(), group[node]) != reported.end()) continue;
    reported.push_back(group[node]);
    const bool alone = std::count(group.begin(), group.end(), group[node]) == 1;
    std::string members;
    for (std::size_t other = 0; other < group.size(); ++other) {
      if (group[other] == group[node]) members += (members.empty() ? "" : ", ") + map.nodes[other].name();
    }
    list.at_node(alone ? ProblemCode::not_cabled : ProblemCode::cabling_split, Severity::error, node,
                 {alone ? fmt::format("{} has no cable to any of the other machines", members)
                        : fmt::format("no cable leads from {} to {}", members, map.nodes[0].name()),
                  "Machines without a cable between them cannot work together over Thunderbolt.",
                  join_advice(map, 0, node, taken)})
        .blocks = !list.planned;
  }
}

std::vector<Pair> missing_pairs(const ClusterMap& map) {
  std::vector<Pair> missing;
  for (std::size_t a = 0; a < map.nodes.size(); ++a) {
    for (std::size_t b = a + 1; b < map.nodes.size(); ++b) {
      if (cables_between(map, a, b).empty()) missing.emplace_back(a, b);
    }
  }
  return missing;
}

/// A spare cable of a pair that has two, moved so that a pair that has none gets it.
void check_uneven(ProblemList& list, std::vector<Pair>& missing, std::vector<End>& taken) {
  const auto& map = list.map;
  for (std::size_t i = 0; i < map.cables.size(); ++i) {
    const Cable& cable = map.cables[i];
    const auto same = cables_between(map, cable.a.node, cable.b.node);
    if (same.size() < 2 || i == same.front()) continue;
    for (auto pair = missing.begin(); pair != missing.end(); ++pair) {
      const auto stays = pair->first == cable.a.node || pair->second == cable.a.node ? cable.a
                         : pair->first == cable.b.node || pair->second == cable.b.node
                             ? cable.b
                             : End{map.nodes.size(), 0};
      if (stays.node == map.nodes.size()) continue;
      const auto lacking = pair->first == stays.node ? pair->second : pair->first;
      const auto free = free_ports(map, lacking, stays.node, taken).a;
      if (!free) continue;
      const End moves = cable.end_beyond(stays.node);
      taken.push_back({lacking, *free});
      list.at_cable(
          ProblemCode::uneven_cables, Severity::notice, i, moves,
          {fmt::format("the cable {} is one of {} between {} and {}, while {} and {} have none",
                       describe(map, cable), same.size(), map.node(cable.a).name(), map.node(cable.b).name(),
                       map.nodes[stays.node].name(), map.nodes[lacking].name()),
           "With one cable for every pair the machines would form a mesh, the fastest shape.",
           fmt::format("Move the end at {} to {}.", describe(map, moves),
                       describe(map, End{lacking, *free}))});
      missing.erase(pair);
      break;
    }
  }
}

/// Every pair that is cabled has the same number of cables, more than one: a wide ring that was meant so.
bool is_evenly_doubled(const ClusterMap& map) {
  std::size_t width = 0;
  for (const auto& cable : map.cables) {
    const auto count = cables_between(map, cable.a.node, cable.b.node).size();
    if (width != 0 && count != width) return false;
    width = count;
  }
  return width > 1;
}

void check_mesh(ProblemList& list) {
  constexpr std::size_t kWithinReach = 3;  // beyond that many, a mesh is not what was meant
  const auto& map = list.map;
  const bool wanted = list.request.backend == hostfile::Backend::jaccl;
  if (map.nodes.size() < 3 || (list.request.backend && !wanted)) return;
  auto missing = missing_pairs(map);
  if (missing.empty() || (!wanted && missing.size() > kWithinReach)) return;
  const bool ports_suffice = std::all_of(map.nodes.begin(), map.nodes.end(), [&](const Node& node) {
    return node.ports.size() + 1 >= map.nodes.size();
  });
  if (!ports_suffice && !wanted) return;
  if (!wanted && list.planned && is_evenly_doubled(map)) return;
  std::vector<End> taken;
  check_uneven(list, missing, taken);
  for (const auto& [a, b] : missing) {
    list.at_node(ProblemCode::missing_mesh_cable, wanted ? Severity::error : Severity::notice, a,
                 {fmt::format("no cable joins {} and {}", map.nodes[a].name(), map.nodes[b].name()),
                  "A mesh, the fastest shape, needs one between every two machines.",
                  join_advice(map, a, b, taken)})
        .blocks = wanted && !list.planned;
  }
}

}  // namespace

FreePorts free_ports(const ClusterMap& map, std::size_t a, std::size_t b, const std::vector<End>& taken) {
  const auto first_free = [&](std::size_t node) -> std::optional<std::size_t> {
    const auto& ports = map.nodes[node].ports;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      const bool used = std::find(taken.begin(), taken.end(), End{node, i}) != taken.end();
      if (!ports[i].connected && !ports[i].receptacle.empty() && !used) return i;
    }
    return std::nullopt;
  };
  return {first_free(a), first_free(b)};
}

void find_cable_problems(ProblemList& list) {
  for (std::size_t i = 0; i < list.map.cables.size(); ++i) {
    const Cable& cable = list.map.cables[i];
    check_shape(list, i);
    if (!between_nodes(cable)) continue;
    check_offers(list, i, cable.a, cable.a_offers_rdma);
    check_offers(list, i, cable.b, cable.b_offers_rdma);
    check_end(list, i, cable.a);
    check_end(list, i, cable.b);
  }
  // A machine that is there twice seems to lack the cables that it has under its other name.
  if (!list.map.same_machine.empty()) return;
  // While some node keeps silent, a stranger may be that node, and what seems missing may be there.
  const auto silent = [](const Node& node) { return !node.report.buses; };
  if (std::any_of(list.map.nodes.begin(), list.map.nodes.end(), silent)) return;
  check_strangers(list);
  check_connected(list);
  check_mesh(list);
}

}  // namespace jackal::tbdiscovery
