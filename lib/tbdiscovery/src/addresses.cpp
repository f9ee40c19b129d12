// A /30 for every cable. Homes and offices number their networks as they like, so a range is chosen only
// after every node's routes are known.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "jackal/tbdiscovery/plan.hpp"

namespace jackal::tbdiscovery {
namespace {

constexpr int kCablePrefix = 30;
constexpr int kRangePrefix = 20;  // 1024 cables
// What is wider than any private block is a default route in parts, as VPNs set it (0/1 and 128/1).
constexpr int kWidestNetwork = 8;

/// A network that some node already uses.
struct Taken {
  Network network;
  std::size_t node = 0;
  std::string interface;
};

bool is_thunderbolt(const Node& node, const std::string& interface) {
  return std::any_of(node.ports.begin(), node.ports.end(),
                     [&](const Port& port) { return !interface.empty() && port.interface == interface; });
}

std::vector<Taken> taken_networks(const ClusterMap& map) {
  std::vector<Taken> taken;
  for (std::size_t i = 0; i < map.nodes.size(); ++i) {
    const NodeReport& report = map.nodes[i].report;
    if (report.routes) {
      for (const auto& route : *report.routes) {
        if (route.is_default || route.to.prefix < kWidestNetwork) continue;
        taken.push_back({route.to, i, route.interface});
      }
    }
    if (!report.interfaces) continue;
    for (const auto& interface : *report.interfaces) {
      for (const auto& own : interface.addresses) {
        taken.push_back({network_of(own.address, own.prefix), i, interface.name});
      }
    }
  }
  return taken;
}

/// The /30 that both ends of the cable are in already.
std::optional<PlannedCable> present_network(const ClusterMap& map, std::size_t index) {
  const Cable& cable = map.cables[index];
  for (const auto& a : map.port(cable.a).addresses) {
    for (const auto& b : map.port(cable.b).addresses) {
      const auto network = network_of(a.address, kCablePrefix);
      const bool shared = a.prefix == kCablePrefix && b.prefix == kCablePrefix && a.address != b.address &&
                          contains(network, b.address) && !is_link_local(a.address);
      const auto host_part = [](Ipv4 address) { return address.value & 3U; };
      if (!shared || host_part(a.address) % 3 == 0 || host_part(b.address) % 3 == 0) continue;
      return PlannedCable{index, network, a.address, b.address, false};
    }
  }
  return std::nullopt;
}

/// Whether anything but the cable's own two interfaces uses its network.
bool used_elsewhere(const ClusterMap& map, const PlannedCable& planned, const std::vector<Taken>& taken) {
  const Cable& cable = map.cables[planned.cable];
  return std::any_of(taken.begin(), taken.end(), [&](const Taken& other) {
    if (!overlap(other.network, planned.network)) return false;
    for (const End& end : {cable.a, cable.b}) {
      if (other.node == end.node && other.interface == map.port(end).interface) return false;
    }
    return true;
  });
}

/// What earlier set-ups left on Thunderbolt ports is passed over one by one; anything else spoils a range.
bool range_is_free(const ClusterMap& map, const Network& range, const std::vector<Taken>& taken) {
  return std::none_of(taken.begin(), taken.end(), [&](const Taken& other) {
    const bool leftover =
        other.network.prefix >= kCablePrefix && is_thunderbolt(map.nodes[other.node], other.interface);
    return !leftover && overlap(other.network, range);
  });
}

/// From the top of the private blocks downwards, where people rarely number anything.
std::optional<Network> choose_range(const ClusterMap& map, const std::vector<Taken>& taken) {
  struct Block {
    Ipv4 first;
    int prefix;
  };
  constexpr Block kBlocks[] = {{Ipv4{0xAC100000U}, 12}, {Ipv4{0x0A000000U}, 8}, {Ipv4{0xC0A80000U}, 16}};
  for (const Block& block : kBlocks) {
    const std::uint32_t count = 1U << (kRangePrefix - block.prefix);
    for (std::uint32_t i = count; i-- > 0;) {
      const Network range{Ipv4{block.first.value + (i << (32 - kRangePrefix))}, kRangePrefix};
      if (range_is_free(map, range, taken)) return range;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<PlannedCable>> assign_addresses(const ClusterMap& map,
                                                   const std::vector<std::size_t>& cables) {
  auto taken = taken_networks(map);
  std::vector<PlannedCable> planned;
  for (const auto index : cables) {
    auto present = present_network(map, index);
    planned.push_back(
        present && !used_elsewhere(map, *present, taken) ? *present : PlannedCable{index, {}, {}, {}, false});
  }
  const auto range = choose_range(map, taken);
  std::uint32_t next = range ? range->address.value : 0;
  for (auto& cable : planned) {
    if (cable.ip_a.value != 0) continue;
    const auto is_taken = [&](const Network& network) {
      return std::any_of(taken.begin(), taken.end(),
                         [&](const Taken& other) { return overlap(other.network, network); });
    };
    while (range && contains(*range, Ipv4{next}) && is_taken({Ipv4{next}, kCablePrefix})) next += 4;
    if (!range || !contains(*range, Ipv4{next})) {
      return fail({ErrorCode::bad_input, "", "no private network is free on all machines for the cables",
                   "Remove routes that claim whole private ranges (VPNs do), then run this again."});
    }
    cable.network = {Ipv4{next}, kCablePrefix};
    cable.ip_a = Ipv4{next + 1};
    cable.ip_b = Ipv4{next + 2};
    next += 4;
  }
  return planned;
}

std::vector<Ipv4> coordinator_candidates(const Node& node) {
  const NodeReport& report = node.report;
  std::vector<Ipv4> on_cables;
  std::vector<Ipv4> elsewhere;
  if (report.interfaces) {
    for (const auto& interface : *report.interfaces) {
      const bool cable = is_thunderbolt(node, interface.name);
      for (const auto& own : interface.addresses) {
        const bool loopback = own.address.value >> 24 == 127;
        if (cable)
          on_cables.push_back(own.address);
        else if (!loopback && !is_link_local(own.address))
          elsewhere.push_back(own.address);
      }
    }
  }
  std::vector<Ipv4> candidates;
  const auto add = [&](Ipv4 address) {
    const auto known = [&](const std::vector<Ipv4>& list) {
      return std::find(list.begin(), list.end(), address) != list.end();
    };
    if (!known(candidates) && !known(on_cables)) candidates.push_back(address);
  };
  // An address of the SSH connection may be a forwarded one (127.0.0.1 through a jump host).
  const auto usable = [](const std::optional<Ipv4>& address) {
    return address && address->value >> 24 != 127;
  };
  if (usable(report.ssh_address)) add(*report.ssh_address);
  if (usable(report.default_source)) add(*report.default_source);
  for (const auto address : elsewhere) add(address);
  return candidates;
}

}  // namespace jackal::tbdiscovery
