#include "capability.hpp"

#include <algorithm>
#include <array>

#include "jackal/base/text.hpp"

namespace jackal::tbdiscovery {
namespace {

/// Apple's model identifiers whose ports are Thunderbolt 5.
constexpr std::array<std::string_view, 9> kThunderbolt5Models = {
    "Mac15,14",                                    // Mac Studio, M3 Ultra
    "Mac16,9",  "Mac16,11",                        // Mac Studio, M4 Max; Mac mini, M4 Pro
    "Mac16,5",  "Mac16,6",  "Mac16,7", "Mac16,8",  // MacBook Pro, M4 Pro and M4 Max
    "Mac17,6",  "Mac17,7"};                        // MacBook Pro, M5 Max

/// Current identifiers below 17 that are not in the table above are Thunderbolt 4 or USB4.
constexpr int kLastKnownFamily = 16;

Generation own_generation(const Port& port, const Node& node) {
  if (port.gbps >= 80) return Generation::thunderbolt5;
  if (port.linked || port.gbps == 0) return Generation::unknown;  // the other end may be what slows it
  if (!node.report.buses) return Generation::unknown;
  for (const auto& bus : *node.report.buses) {
    const bool here = std::any_of(bus.receptacles.begin(), bus.receptacles.end(),
                                  [&](const auto& receptacle) { return receptacle.id == port.receptacle; });
    if (here && bus.name.find("thunderbolt_bus") == 0) return Generation::thunderbolt3;
  }
  return port.gbps >= 40 ? Generation::thunderbolt4 : Generation::thunderbolt3;
}

Rdma own_rdma(const Node& node) {
  const NodeReport& report = node.report;
  const bool devices_known = report.rdma_devices.has_value();
  const bool has_devices = devices_known && !report.rdma_devices->empty();
  if (report.system == System::linux_) {
    return has_devices ? Rdma::enabled : devices_known ? Rdma::unsupported : Rdma::unknown;
  }
  const auto is = [&](Generation generation) {
    return std::any_of(node.ports.begin(), node.ports.end(),
                       [&](const Port& port) { return port.generation == generation; });
  };
  // Older ports can never do it, whatever is switched on or listed.
  const bool older = is(Generation::thunderbolt3) || is(Generation::thunderbolt4);
  if (older && !is(Generation::thunderbolt5) && !is(Generation::unknown)) return Rdma::unsupported;
  if (has_devices) return Rdma::enabled;
  if (version_at_least(report.os_version, 26, 2) == false) return Rdma::old_system;
  if (report.rdma_enabled == false) return Rdma::disabled;
  if (report.rdma_enabled == true) return devices_known ? Rdma::no_device : Rdma::enabled;
  return devices_known ? Rdma::disabled : Rdma::unknown;
}

/// What the direct neighbours see; a Mac publishes the service to every one of them.
Rdma seen_rdma(const ClusterMap& map, std::size_t node) {
  Rdma seen = Rdma::unknown;
  for (const auto& cable : map.cables) {
    if (!cable.through.empty() || (cable.a.node != node && cable.b.node != node)) continue;
    const auto offers = cable.a.node == node ? cable.a_offers_rdma : cable.b_offers_rdma;
    if (offers == true) return Rdma::enabled;
    const bool capable = map.port(cable.end_at(node)).generation == Generation::thunderbolt5;
    if (offers == false && capable) seen = Rdma::disabled;
  }
  return seen;
}

}  // namespace

Generation generation_of_model(std::string_view model) {
  for (const auto known : kThunderbolt5Models) {
    if (known == model) return Generation::thunderbolt5;
  }
  if (model.substr(0, 3) != "Mac") return Generation::unknown;
  model.remove_prefix(3);
  const auto family = parse_integer<int>(model.substr(0, model.find(',')));
  if (family && *family >= 13 && *family <= kLastKnownFamily) return Generation::thunderbolt4;
  return Generation::unknown;
}

std::optional<bool> version_at_least(std::string_view version, int major, int minor) {
  const auto dot = version.find('.');
  const auto first = parse_integer<int>(version.substr(0, dot));
  if (!first) return std::nullopt;
  if (*first != major) return *first > major;
  if (dot == std::string_view::npos) return minor == 0;
  const auto rest = version.substr(dot + 1);
  const auto second = parse_integer<int>(rest.substr(0, rest.find('.')));
  if (!second) return std::nullopt;
  return *second >= minor;
}

void classify_ports(Node& node) {
  Generation of_machine = generation_of_model(node.report.model);
  for (auto& port : node.ports) {
    port.generation = own_generation(port, node);
    // A free port says what the machine has. All ports of one Mac are of one generation.
    if (port.generation == Generation::thunderbolt5) of_machine = Generation::thunderbolt5;
    if (of_machine == Generation::unknown) of_machine = port.generation;
  }
  for (auto& port : node.ports) {
    if (port.generation == Generation::unknown) port.generation = of_machine;
  }
}

void classify_rdma(ClusterMap& map) {
  for (std::size_t i = 0; i < map.nodes.size(); ++i) {
    Node& node = map.nodes[i];
    node.rdma = own_rdma(node);
    if (node.rdma != Rdma::unknown) continue;
    node.rdma = seen_rdma(map, i);
    node.rdma_seen_by_peers = node.rdma != Rdma::unknown;
  }
}

}  // namespace jackal::tbdiscovery
