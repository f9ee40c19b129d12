// "grep -r ." over /sys/bus/thunderbolt/devices and /sys/class/infiniband: one line a file, "PATH:CONTENT".
// A device of the Thunderbolt tree is DOMAIN-ROUTE (route in hex, one byte a hop, the first hop lowest); 0-0
// is the machine itself, 0-1.0 the first service of what hangs on its port 1.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "jackal/base/text.hpp"
#include "lines.hpp"
#include "parsers.hpp"

namespace jackal::tbdiscovery {
namespace {

using Attributes = std::map<std::string, std::string, std::less<>>;

struct Entry {
  std::vector<std::string_view> path;  // below the marker
  std::string_view value;
};

std::optional<Entry> entry_of(std::string_view line, std::string_view marker) {
  const auto found = line.find(marker);
  if (found == std::string_view::npos) return std::nullopt;
  auto rest = line.substr(found + marker.size());
  const auto colon = rest.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Entry entry;
  entry.value = trim(rest.substr(colon + 1));
  rest = rest.substr(0, colon);
  while (!rest.empty()) {
    const auto slash = std::min(rest.find('/'), rest.size());
    if (slash > 0) entry.path.push_back(rest.substr(0, slash));
    rest.remove_prefix(std::min(slash + 1, rest.size()));
  }
  return entry;
}

struct Address {  // of a device in the tree
  int domain = 0;
  std::uint64_t route = 0;
  int service = -1;  // -1: the device itself

  auto operator<=>(const Address&) const = default;
  int first_hop() const { return static_cast<int>(route & 0xFF); }
  /// The device that this one hangs on; route 0 is the machine.
  Address parent() const {
    int top = 56;
    while (top > 0 && (route >> top & 0xFF) == 0) top -= 8;
    return {domain, route & ~(std::uint64_t{0xFF} << top), -1};
  }
};

std::optional<Address> address_of(std::string_view name) {
  const auto dash = name.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto domain = parse_integer<int>(name.substr(0, dash));
  const auto dot = std::min(name.find('.'), name.size());
  const auto route = name.substr(dash + 1, dot - std::min(dot, dash + 1));
  Address address;
  const auto [end, error] = std::from_chars(route.data(), route.data() + route.size(), address.route, 16);
  if (!domain || *domain < 0 || route.empty() || error != std::errc{} || end != route.data() + route.size()) {
    return std::nullopt;
  }
  address.domain = *domain;
  if (dot < name.size()) {
    const auto service = parse_integer<int>(name.substr(dot + 1));
    if (!service || *service < 0) return std::nullopt;
    address.service = *service;
  }
  return address;
}

using Tree = std::map<Address, Attributes>;

Tree read_tree(std::string_view bytes) {
  Tree tree;
  for (const auto line : lines_of(bytes)) {
    const auto entry = entry_of(line, "thunderbolt/devices/");
    if (!entry) continue;
    for (std::size_t i = entry->path.size(); i-- > 0;) {
      const auto address = address_of(entry->path[i]);
      if (!address) continue;
      std::string attribute;
      for (std::size_t j = i + 1; j < entry->path.size(); ++j) {
        attribute += (attribute.empty() ? "" : "/") + std::string(entry->path[j]);
      }
      tree[*address].emplace(attribute, entry->value);
      break;
    }
  }
  return tree;
}

std::string value_of(const Attributes& attributes, std::string_view name) {
  const auto found = attributes.find(name);
  return found == attributes.end() ? std::string() : found->second;
}

double speed_of(const Attributes& attributes) {
  const int lanes = parse_integer<int>(value_of(attributes, "rx_lanes")).value_or(1);
  return gigabits_in(value_of(attributes, "rx_speed")) * (lanes == 2 ? 2 : 1);
}

std::string receptacle_id(const Address& address) {
  return fmt::format("{}-{}", address.domain, address.first_hop());
}

/// The interface in "net/thunderbolt0/address"; empty for any other attribute.
std::string interface_in(std::string_view attribute) {
  if (attribute.substr(0, 4) != "net/") return {};
  attribute.remove_prefix(4);
  return std::string(attribute.substr(0, attribute.find('/')));
}

Device device_of(const Tree& tree, const Address& at, int depth) {
  const Attributes& attributes = tree.at(at);
  Device device;
  device.name = value_of(attributes, "device_name");
  device.vendor = value_of(attributes, "vendor_name");
  device.gbps = speed_of(attributes);
  device.computer = attributes.find("authorized") == attributes.end();
  if (device.computer) {
    device.domain_uuid = upper(value_of(attributes, "unique_id"));
    device.model = device.name;
  }
  for (const auto& [address, inner] : tree) {
    if (address.domain != at.domain) continue;
    if (address.route == at.route && address.service >= 0) {
      device.services_known = true;
      if (value_of(inner, "prtcid") == std::to_string(kRdmaProtocol)) device.offers_rdma = true;
    } else if (address.service < 0 && address.route != 0 && address.parent() == at && depth < kDeepestTree) {
      device.behind.push_back(device_of(tree, address, depth + 1));
    }
  }
  return device;
}

Receptacle& receptacle_named(Bus& bus, const std::string& id) {
  for (auto& receptacle : bus.receptacles) {
    if (receptacle.id == id) return receptacle;
  }
  bus.receptacles.push_back({id, false, "", 0, false});
  return bus.receptacles.back();
}

void read_receptacles(const Attributes& host, int domain, Bus& bus) {
  constexpr std::string_view kPort = "usb4_port";
  const int generation = parse_integer<int>(value_of(host, "generation")).value_or(0);
  for (const auto& [attribute, value] : host) {
    if (attribute.substr(0, kPort.size()) != kPort) continue;
    const auto number =
        parse_integer<int>(attribute.substr(kPort.size(), attribute.find('/') - kPort.size()));
    if (!number || *number < 0) continue;
    Receptacle& receptacle = receptacle_named(bus, fmt::format("{}-{}", domain, *number));
    if (generation == 3 || generation == 4) {
      receptacle.speed = "Up to 40 Gb/s";
      receptacle.gbps = 40;
    }
  }
}

Bus bus_of(const Tree& tree, const Address& host) {
  const Attributes& attributes = tree.at(host);
  Bus bus;
  bus.name = fmt::format("domain{}", host.domain);
  bus.machine = value_of(attributes, "device_name");
  bus.domain_uuid = upper(value_of(attributes, "unique_id"));
  bus.uid = bus.domain_uuid;
  read_receptacles(attributes, host.domain, bus);
  for (const auto& [address, inner] : tree) {
    if (address.domain != host.domain || address.service >= 0 || address.route == 0) continue;
    if (address.parent() != host) continue;
    Receptacle& receptacle = receptacle_named(bus, receptacle_id(address));
    receptacle.connected = true;
    const double gbps = speed_of(inner);
    if (gbps > 0) {
      receptacle.gbps = gbps;
      receptacle.linked = true;
      receptacle.speed = fmt::format("{:g} Gb/s", gbps);
    }
    bus.devices.push_back(device_of(tree, address, 0));
    bus.devices.back().receptacle = receptacle.id;
  }
  return bus;
}

PortState state_of(std::string_view value) {
  if (value.find("ACTIVE") != std::string_view::npos) return PortState::active;
  return value.find("DOWN") != std::string_view::npos ? PortState::down : PortState::other;
}

void read_port(const Entry& entry, RdmaDevice& device) {
  const auto attribute = entry.path[3];
  if (attribute == "state" && device.state == PortState::unknown) device.state = state_of(entry.value);
  if (attribute == "gids" && entry.path.size() == 5) {
    device.gids_known = true;
    const auto index = parse_integer<int>(entry.path[4]);
    const bool empty = entry.value.find_first_not_of("0:") == std::string_view::npos;
    if (index && !empty) device.gids.push_back({*index, std::string(entry.value)});
  }
  if (attribute == "gid_attrs" && entry.path.size() == 6 && entry.path[4] == "ndevs" &&
      device.interface.empty()) {
    device.interface = std::string(entry.value);
  }
}

}  // namespace

LinuxThunderbolt parse_sysfs_thunderbolt(std::string_view bytes, Findings& findings) {
  const Tree tree = read_tree(bytes);
  LinuxThunderbolt found;
  for (const auto& [address, attributes] : tree) {
    if (address.route == 0 && address.service < 0) found.buses.push_back(bus_of(tree, address));
    if (address.service < 0 || address.route == 0) continue;
    for (const auto& [attribute, value] : attributes) {
      const auto interface = interface_in(attribute);
      const auto id = receptacle_id(address);
      const bool known = std::any_of(found.ports.begin(), found.ports.end(),
                                     [&](const auto& port) { return port.name == id; });
      if (!interface.empty() && !known) {
        found.ports.push_back({id, interface, value_of(attributes, "net/" + interface + "/address")});
      }
    }
  }
  if (found.buses.empty()) findings.push_back({"thunderbolt.txt", "describes no Thunderbolt domain"});
  return found;
}

std::vector<RdmaDevice> parse_sysfs_infiniband(std::string_view bytes, Findings& findings) {
  std::vector<RdmaDevice> devices;
  for (const auto line : lines_of(bytes)) {
    const auto entry = entry_of(line, "infiniband/");
    if (!entry || entry->path.size() < 2) continue;
    const auto name = entry->path[0];
    auto device = std::find_if(devices.begin(), devices.end(), [&](const auto& d) { return d.name == name; });
    if (device == devices.end()) {
      devices.push_back({std::string(name), "", "", PortState::unknown, false, {}});
      device = devices.end() - 1;
    }
    if (entry->path[1] == "node_guid") device->guid = std::string(entry->value);
    if (entry->path[1] == "parent") device->interface = std::string(entry->value);
    // Of a device with several ports, the first counts.
    if (entry->path.size() >= 4 && entry->path[1] == "ports" && entry->path[2] == "1")
      read_port(*entry, *device);
  }
  if (devices.empty()) findings.push_back({"infiniband.txt", "describes no RDMA device"});
  return devices;
}

}  // namespace jackal::tbdiscovery
