#include "jackal/tbdiscovery/map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "capability.hpp"
#include "jackal/base/text.hpp"
#include "lines.hpp"

namespace jackal::tbdiscovery {
namespace {

using BusId = std::pair<std::size_t, std::size_t>;  // node, bus

/// A computer seen from a port.
struct Sighting {
  BusId from;
  std::size_t port = 0;
  std::string domain_uuid;
  std::string name;
  std::string model;
  std::vector<std::string> through;  // outermost last
  std::optional<bool> offers_rdma;
  double slowest_hub = 0;  // 0: no hub, or its speed is not known
};

/// "2" before "10", and numbers before names.
bool receptacle_before(const Port& left, const Port& right) {
  const auto a = parse_integer<int>(left.receptacle);
  const auto b = parse_integer<int>(right.receptacle);
  if (a && b && *a != *b) return *a < *b;
  if (a.has_value() != b.has_value()) return a.has_value();
  return std::tie(left.receptacle, left.domain_uuid) < std::tie(right.receptacle, right.domain_uuid);
}

std::string interface_of(const NodeReport& report, const std::string& receptacle) {
  if (!report.hardware_ports || receptacle.empty()) return {};
  // "Thunderbolt Bridge" and "Thunderbolt Ethernet Slot 1" also begin so, hence the whole name.
  const auto name = report.system == System::linux_ ? receptacle : "Thunderbolt " + receptacle;
  for (const auto& port : *report.hardware_ports) {
    if (port.name == name) return is_interface_name(port.device) ? port.device : "";
  }
  return {};
}

void add_interface_facts(const NodeReport& report, Port& port) {
  if (port.interface.empty()) return;
  port.bridge = bridge_of(report, port.interface);
  if (const auto* interface = find_interface(report, port.interface)) {
    port.active = interface->active;
    port.addresses = interface->addresses;
  }
  port.rdma_device = "rdma_" + port.interface;
  if (!report.rdma_devices) return;
  port.rdma_listed = false;
  for (const auto& device : *report.rdma_devices) {
    if (device.name != port.rdma_device && device.interface != port.interface) continue;
    port.rdma_device = device.name;
    port.rdma_listed = true;
    port.rdma_state = device.state;
    port.gids_known = device.gids_known;
    port.gids = device.gids;
  }
}

std::vector<Port> ports_of(const NodeReport& report) {
  std::vector<Port> ports;
  if (!report.buses) return ports;
  for (const auto& bus : *report.buses) {
    for (const auto& receptacle : bus.receptacles) {
      Port port;
      port.receptacle = receptacle.id;
      port.domain_uuid = bus.domain_uuid;
      port.connected = receptacle.connected;
      port.gbps = receptacle.gbps;
      port.linked = receptacle.linked;
      port.interface = interface_of(report, receptacle.id);
      add_interface_facts(report, port);
      ports.push_back(std::move(port));
    }
  }
  std::stable_sort(ports.begin(), ports.end(), receptacle_before);
  return ports;
}

class Builder {
public:
  explicit Builder(std::vector<NodeReport> reports) {
    for (auto& report : reports) {
      Node node;
      node.ports = ports_of(report);
      node.report = std::move(report);
      map_.nodes.push_back(std::move(node));
    }
  }

  ClusterMap build() {
    index_domains();
    for (std::size_t node = 0; node < map_.nodes.size(); ++node) look_around(node);
    learn_models();
    for (auto& node : map_.nodes) classify_ports(node);
    join_sightings();
    find_strangers();
    classify_rdma(map_);
    return std::move(map_);
  }

private:
  const Bus& bus(const BusId& id) const { return (*map_.nodes[id.first].report.buses)[id.second]; }

  void index_domains() {
    for (std::size_t node = 0; node < map_.nodes.size(); ++node) {
      const auto& buses = map_.nodes[node].report.buses;
      for (std::size_t i = 0; buses && i < buses->size(); ++i) {
        const auto& uuid = (*buses)[i].domain_uuid;
        if (uuid.empty()) continue;
        const auto [known, added] = domains_.try_emplace(uuid, BusId{node, i});
        if (!added && known->second.first != node) same_machine_.insert({known->second.first, node});
      }
    }
    map_.same_machine.assign(same_machine_.begin(), same_machine_.end());
  }

  /// The index of the port of `bus` with this receptacle; a nameless port is added when there is none.
  std::size_t port_index(const BusId& id, const std::string& receptacle) {
    auto& ports = map_.nodes[id.first].ports;
    const auto& uuid = bus(id).domain_uuid;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (ports[i].receptacle == receptacle && ports[i].domain_uuid == uuid) return i;
    }
    Port port;
    port.domain_uuid = uuid;
    port.connected = true;
    ports.push_back(std::move(port));
    return ports.size() - 1;
  }

  /// Which receptacle of a bus a cable is in: its only one, or the only one that has something in it. Of
  /// several the bus does not tell, and nothing is guessed.
  std::string receptacle_of(const BusId& id) const {
    const auto& all = bus(id).receptacles;
    if (all.size() == 1) return all[0].id;
    const auto connected = [](const Receptacle& receptacle) { return receptacle.connected; };
    const auto first = std::find_if(all.begin(), all.end(), connected);
    if (first == all.end() || std::find_if(first + 1, all.end(), connected) != all.end()) return {};
    return first->id;
  }

  /// A machine that was named before sees the same cables once more.
  bool is_repeated(std::size_t node) const {
    return std::any_of(same_machine_.begin(), same_machine_.end(),
                       [&](const auto& same) { return same.second == node; });
  }

  void look_around(std::size_t node) {
    if (is_repeated(node)) return;
    const auto& buses = map_.nodes[node].report.buses;
    for (std::size_t i = 0; buses && i < buses->size(); ++i) {
      for (const auto& device : (*buses)[i].devices) {
        const BusId id{node, i};
        const auto port = port_index(id, device.receptacle.empty() ? receptacle_of(id) : device.receptacle);
        walk(device, id, port, {}, 0);
      }
    }
  }

  void walk(const Device& device, const BusId& from, std::size_t port, std::vector<std::string> through,
            double slowest_hub) {
    if (device.computer) {
      Sighting sighting{from,         port,    device.domain_uuid, device.name,
                        device.model, through, std::nullopt,       slowest_hub};
      if (device.services_known) sighting.offers_rdma = device.offers_rdma;
      sightings_.push_back(std::move(sighting));
    } else {
      map_.attachments.push_back(
          {{from.first, port}, device.name, device.vendor, static_cast<int>(through.size())});
      through.push_back(device.name);
      if (device.gbps > 0) slowest_hub = slowest_hub > 0 ? std::min(slowest_hub, device.gbps) : device.gbps;
    }
    for (const auto& behind : device.behind) walk(behind, from, port, through, slowest_hub);
  }

  /// A node of which only the Thunderbolt tree is known does not say its model, but its neighbours do.
  void learn_models() {
    for (const auto& sighting : sightings_) {
      const auto seen = domains_.find(sighting.domain_uuid);
      if (seen == domains_.end()) continue;
      auto& model = map_.nodes[seen->second.first].report.model;
      if (model.empty()) model = sighting.model;
    }
  }

  void join_sightings() {
    // Between two buses there is one cable for every sighting of the side that sees more of them.
    std::map<std::pair<BusId, BusId>, std::pair<std::vector<const Sighting*>, std::vector<const Sighting*>>>
        pairs;
    for (const auto& sighting : sightings_) {
      const auto other = domains_.find(sighting.domain_uuid);
      if (other == domains_.end() || other->second == sighting.from) continue;
      const bool forward = sighting.from < other->second;
      auto& seen =
          pairs[forward ? std::pair{sighting.from, other->second} : std::pair{other->second, sighting.from}];
      (forward ? seen.first : seen.second).push_back(&sighting);
    }
    for (const auto& [buses, seen] : pairs) {
      const auto count = std::max(seen.first.size(), seen.second.size());
      for (std::size_t k = 0; k < count; ++k) {
        add_cable(buses, k < seen.first.size() ? seen.first[k] : nullptr,
                  k < seen.second.size() ? seen.second[k] : nullptr);
      }
    }
    std::sort(map_.cables.begin(), map_.cables.end(), [](const Cable& left, const Cable& right) {
      return std::tie(left.a.node, left.b.node, left.a.port, left.b.port) <
             std::tie(right.a.node, right.b.node, right.a.port, right.b.port);
    });
  }

  void add_cable(const std::pair<BusId, BusId>& buses, const Sighting* from_a, const Sighting* from_b) {
    Cable cable;
    cable.a = {buses.first.first,
               from_a ? from_a->port : port_index(buses.first, receptacle_of(buses.first))};
    cable.b = {buses.second.first,
               from_b ? from_b->port : port_index(buses.second, receptacle_of(buses.second))};
    cable.seen_by_a = from_a != nullptr;
    cable.seen_by_b = from_b != nullptr;
    if (from_a) cable.b_offers_rdma = from_a->offers_rdma;
    if (from_b) cable.a_offers_rdma = from_b->offers_rdma;
    // A hub is often visible from one side only.
    if (from_a) cable.through = from_a->through;
    if (cable.through.empty() && from_b)
      cable.through.assign(from_b->through.rbegin(), from_b->through.rend());
    for (const double gbps : {link_speed(cable.a), link_speed(cable.b), from_a ? from_a->slowest_hub : 0.0,
                              from_b ? from_b->slowest_hub : 0.0}) {
      if (gbps > 0) cable.gbps = cable.gbps > 0 ? std::min(cable.gbps, gbps) : gbps;
    }
    if (cable.b < cable.a) flip(cable);
    map_.cables.push_back(std::move(cable));
  }

  static void flip(Cable& cable) {
    std::swap(cable.a, cable.b);
    std::swap(cable.seen_by_a, cable.seen_by_b);
    std::swap(cable.a_offers_rdma, cable.b_offers_rdma);
    std::reverse(cable.through.begin(), cable.through.end());
  }

  double link_speed(const End& end) const {
    const Port& port = map_.port(end);
    return port.linked ? port.gbps : 0;
  }

  /// The cable's far end did not say its domain, so the machine seen there is the node of that cable.
  bool is_far_end_without_domain(const End& port) const {
    return std::any_of(map_.cables.begin(), map_.cables.end(), [&](const Cable& cable) {
      return (cable.a == port && map_.port(cable.b).domain_uuid.empty()) ||
             (cable.b == port && map_.port(cable.a).domain_uuid.empty());
    });
  }

  void find_strangers() {
    for (const auto& sighting : sightings_) {
      if (domains_.count(sighting.domain_uuid) != 0) continue;
      const End port{sighting.from.first, sighting.port};
      if (is_far_end_without_domain(port)) continue;
      map_.strangers.push_back({port, sighting.name, sighting.model, sighting.domain_uuid, sighting.through});
    }
  }

  ClusterMap map_;
  std::map<std::string, BusId> domains_;
  std::set<std::pair<std::size_t, std::size_t>> same_machine_;
  std::vector<Sighting> sightings_;
};

std::string node_rdma_obstacle(const Node& node) {
  switch (node.rdma) {
    case Rdma::unsupported:
      return fmt::format("{} has no hardware for RDMA", node.name());
    case Rdma::old_system:
      return fmt::format("{} runs a macOS from before RDMA (26.2)", node.name());
    case Rdma::disabled:
      return fmt::format("RDMA is disabled on {}", node.name());
    case Rdma::no_device:
      return fmt::format("{} lists no RDMA device", node.name());
    case Rdma::unknown:
      return fmt::format("whether RDMA is enabled on {} is not known", node.name());
    case Rdma::enabled:
      break;
  }
  return {};
}

std::string end_rdma_obstacle(const ClusterMap& map, const End& end) {
  const Node& node = map.node(end);
  const Port& port = map.port(end);
  const bool mac = node.report.system != System::linux_;
  if (mac && (port.generation == Generation::thunderbolt3 || port.generation == Generation::thunderbolt4)) {
    return fmt::format("{} is {}, which cannot do RDMA", describe(map, end), to_string(port.generation));
  }
  if (port.interface.empty())
    return fmt::format("the network interface of {} is not known", describe(map, end));
  if (port.rdma_listed == false) return fmt::format("{} has no RDMA device", describe(map, end));
  if (port.rdma_state == PortState::down)
    return fmt::format("the RDMA port of {} is down", describe(map, end));
  return {};
}

}  // namespace

std::string_view to_string(Generation generation) {
  switch (generation) {
    case Generation::thunderbolt3:
      return "Thunderbolt 3";
    case Generation::thunderbolt4:
      return "Thunderbolt 4";
    case Generation::thunderbolt5:
      return "Thunderbolt 5";
    case Generation::unknown:
      break;
  }
  return "Thunderbolt";
}

bool Port::has_ipv4_gid() const {
  return std::any_of(gids.begin(), gids.end(), [](const Gid& gid) { return mapped_ipv4(gid).has_value(); });
}

ClusterMap build_map(std::vector<NodeReport> reports) { return Builder(std::move(reports)).build(); }

std::vector<std::size_t> cables_between(const ClusterMap& map, std::size_t a, std::size_t b) {
  std::vector<std::size_t> found;
  const auto [low, high] = std::minmax(a, b);
  for (std::size_t i = 0; i < map.cables.size(); ++i) {
    const Cable& cable = map.cables[i];
    if (cable.a.node == low && cable.b.node == high && low != high) found.push_back(i);
  }
  return found;
}

std::string rdma_obstacle(const ClusterMap& map, const Cable& cable) {
  if (!cable.through.empty()) return fmt::format("it passes through {}", fmt::join(cable.through, ", "));
  // A port that is down often only shows that RDMA is off at the other end, so the cause comes first.
  for (const End& end : {cable.a, cable.b}) {
    if (auto why = node_rdma_obstacle(map.node(end)); !why.empty()) return why;
  }
  if (cable.a_offers_rdma == false) {
    return fmt::format("{} does not offer RDMA to {}", map.node(cable.a).name(), map.node(cable.b).name());
  }
  if (cable.b_offers_rdma == false) {
    return fmt::format("{} does not offer RDMA to {}", map.node(cable.b).name(), map.node(cable.a).name());
  }
  for (const End& end : {cable.a, cable.b}) {
    if (auto why = end_rdma_obstacle(map, end); !why.empty()) return why;
  }
  return {};
}

std::string tcp_obstacle(const ClusterMap& map, const Cable& cable) {
  for (const End& end : {cable.a, cable.b}) {
    if (map.port(end).interface.empty()) {
      return fmt::format("the network interface of {} is not known", describe(map, end));
    }
  }
  return {};
}

std::string describe(const ClusterMap& map, const End& end) {
  const auto& receptacle = map.port(end).receptacle;
  if (receptacle.empty()) return map.node(end).name();
  return fmt::format("{} port {}", map.node(end).name(), receptacle);
}

std::string describe(const ClusterMap& map, const Cable& cable) {
  return fmt::format("{} – {}", describe(map, cable.a), describe(map, cable.b));
}

}  // namespace jackal::tbdiscovery
