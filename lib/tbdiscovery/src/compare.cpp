#include "jackal/tbdiscovery/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "drawing_text.hpp"
#include "lines.hpp"

namespace jackal::tbdiscovery {
namespace {

using hostfile::Link;

class Comparison {
public:
  Comparison(const hostfile::Hostfile& hostfile, const ClusterMap& map) : hosts_(hostfile.hosts), map_(map) {}

  std::vector<Difference> run() {
    for (std::size_t rank = 0; rank < hosts_.size(); ++rank) {
      const auto node = node_of(rank);
      if (!node) {
        add(DifferenceKind::host_missing, rank, rank, fmt::format("{} was not probed", hosts_[rank].ssh));
        continue;
      }
      if (hosts_[rank].links.empty() && hosts_[rank].rdma.empty()) check_addresses(rank, *node);
      for (std::size_t peer = 0; peer < hosts_.size(); ++peer) {
        if (peer == rank || !node_of(peer)) continue;
        if (!hosts_[rank].links.empty())
          check_links(rank, *node, peer);
        else if (!hosts_[rank].rdma.empty())
          check_devices(rank, *node, peer);
      }
    }
    return std::move(found_);
  }

private:
  void add(DifferenceKind kind, std::size_t rank, std::size_t peer, std::string text) {
    found_.push_back({kind, rank, peer, std::move(text)});
  }

  std::optional<std::size_t> node_of(std::size_t rank) const {
    for (std::size_t i = 0; i < map_.nodes.size(); ++i) {
      if (map_.nodes[i].name() == hosts_[rank].ssh && !map_.nodes[i].report.failure) return i;
    }
    return std::nullopt;
  }

  std::optional<End> port_of(std::size_t node, const Link& link) const {
    const auto& ports = map_.nodes[node].ports;
    const auto find = [&](auto matches) -> std::optional<End> {
      const auto found = std::find_if(ports.begin(), ports.end(), matches);
      if (found == ports.end()) return std::nullopt;
      return End{node, static_cast<std::size_t>(found - ports.begin())};
    };
    const auto uuid = upper(link.domain_uuid);
    if (!uuid.empty()) {
      if (const auto end = find([&](const Port& port) { return port.domain_uuid == uuid; })) return end;
    }
    if (!link.receptacle.empty()) {
      return find([&](const Port& port) { return port.receptacle == link.receptacle; });
    }
    return find(
        [&](const Port& port) { return !link.interface.empty() && port.interface == link.interface; });
  }

  bool joined(const End& a, const End& b) const {
    return std::any_of(map_.cables.begin(), map_.cables.end(), [&](const Cable& cable) {
      return (cable.a == a && cable.b == b) || (cable.a == b && cable.b == a);
    });
  }

  void check_links(std::size_t rank, std::size_t node, std::size_t peer) {
    const auto& links = peer < hosts_[rank].links.size() ? hosts_[rank].links[peer] : std::vector<Link>{};
    for (std::size_t k = 0; k < links.size(); ++k) {
      const auto end = port_of(node, links[k]);
      if (!end) {
        add(DifferenceKind::port_missing, rank, peer,
            fmt::format("{} has no port {} any more", hosts_[rank].ssh,
                        links[k].receptacle.empty() ? links[k].interface : links[k].receptacle));
        continue;
      }
      check_cable(rank, peer, *end, far_end(rank, peer, k));
      check_names(rank, peer, *end, links[k]);
    }
  }

  /// The port at which the host file has cable k of this pair end.
  std::optional<End> far_end(std::size_t rank, std::size_t peer, std::size_t k) const {
    const auto& back = hosts_[peer].links;
    if (rank >= back.size() || k >= back[rank].size()) return std::nullopt;
    return port_of(*node_of(peer), back[rank][k]);
  }

  void check_cable(std::size_t rank, std::size_t peer, const End& end, const std::optional<End>& far) {
    const auto leads_to_peer = [&] {
      return std::any_of(map_.cables.begin(), map_.cables.end(), [&](const Cable& cable) {
        return (cable.a == end || cable.b == end) && cable.end_beyond(end.node).node == *node_of(peer);
      });
    };
    if (far ? joined(end, *far) : leads_to_peer()) return;
    const auto expected = far ? describe(map_, *far) : hosts_[peer].ssh;
    const auto now = occupant(map_, end);
    add(now.empty() ? DifferenceKind::cable_missing : DifferenceKind::cable_moved, rank, peer,
        now.empty() ? fmt::format("{} led to {}; nothing is in it now", describe(map_, end), expected)
                    : fmt::format("{} led to {}; now it leads to {}", describe(map_, end), expected, now));
  }

  void check_names(std::size_t rank, std::size_t peer, const End& end, const Link& link) {
    const Port& port = map_.port(end);
    if (!link.interface.empty() && !port.interface.empty() && port.interface != link.interface) {
      add(DifferenceKind::interface_renamed, rank, peer,
          fmt::format("{} was {}, now it is {}", describe(map_, end), link.interface, port.interface));
    }
    if (!link.rdma.empty() && port.rdma_listed == true && port.rdma_device != link.rdma) {
      add(DifferenceKind::device_renamed, rank, peer,
          fmt::format("the RDMA device of {} was {}, now it is {}", describe(map_, end), link.rdma,
                      port.rdma_device));
    }
    const auto has = [&](const InterfaceAddress& own) { return to_string(own.address) == link.ip; };
    const bool known = map_.node(end).report.interfaces.has_value();
    if (!link.ip.empty() && known && std::none_of(port.addresses.begin(), port.addresses.end(), has)) {
      add(DifferenceKind::address_missing, rank, peer,
          fmt::format("{} ({}) does not have its address {}", describe(map_, end), port.interface, link.ip));
    }
  }

  /// A host file of TCP alone names only the addresses that each host listens on.
  void check_addresses(std::size_t rank, std::size_t node) {
    const auto& interfaces = map_.nodes[node].report.interfaces;
    for (const auto& ip : hosts_[rank].ips) {
      const auto address = parse_ipv4(ip);
      const auto has = [&](const Interface& interface) {
        return std::any_of(interface.addresses.begin(), interface.addresses.end(),
                           [&](const InterfaceAddress& own) { return own.address == address; });
      };
      if (!address || !interfaces || std::any_of(interfaces->begin(), interfaces->end(), has)) continue;
      add(DifferenceKind::address_missing, rank, rank,
          fmt::format("{} does not have its address {}", hosts_[rank].ssh, ip));
    }
  }

  /// A host file of other tools has no links; its devices still say which port leads to whom.
  void check_devices(std::size_t rank, std::size_t node, std::size_t peer) {
    if (peer >= hosts_[rank].rdma.size()) return;
    for (const auto& device : hosts_[rank].rdma[peer]) {
      const auto& ports = map_.nodes[node].ports;
      const auto port = std::find_if(ports.begin(), ports.end(),
                                     [&](const Port& known) { return known.rdma_device == device; });
      if (port == ports.end()) {
        add(DifferenceKind::port_missing, rank, peer,
            fmt::format("{} has no port with the RDMA device {}", hosts_[rank].ssh, device));
        continue;
      }
      check_cable(rank, peer, {node, static_cast<std::size_t>(port - ports.begin())}, std::nullopt);
    }
  }

  const std::vector<hostfile::Host>& hosts_;
  const ClusterMap& map_;
  std::vector<Difference> found_;
};

}  // namespace

std::string_view to_string(DifferenceKind kind) {
  switch (kind) {
    case DifferenceKind::host_missing:
      return "host-missing";
    case DifferenceKind::port_missing:
      return "port-missing";
    case DifferenceKind::cable_missing:
      return "cable-missing";
    case DifferenceKind::cable_moved:
      return "cable-moved";
    case DifferenceKind::interface_renamed:
      return "interface-renamed";
    case DifferenceKind::device_renamed:
      return "device-renamed";
    case DifferenceKind::address_missing:
      return "address-missing";
  }
  return "";
}

std::vector<Difference> compare(const hostfile::Hostfile& hostfile, const ClusterMap& map) {
  return Comparison(hostfile, map).run();
}

}  // namespace jackal::tbdiscovery
