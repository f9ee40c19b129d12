// system_profiler SPThunderboltDataType, both forms.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "simmac/cluster.hpp"

namespace jackal::simmac {
namespace {

using nlohmann::json;

constexpr int kDockGbps = 80;
constexpr const char* kIpService = "F715FC30-BEC1-46E4-BC8A-E2FE90C05BC5";
constexpr const char* kRdmaService = "0139D311-1BC2-4A68-91AE-A7FC73421D3D";

/// What hangs on a port, as system_profiler would nest it.
struct Hung {
  std::vector<std::string> hubs;
  std::string product;
  std::string model;
  std::string uuid;
  bool rdma = false;
  int gbps = 80;
};

int most(const Machine& machine) { return machine.generation >= 5 ? 120 : 40; }

std::vector<Hung> hung_on(const Cluster& cluster, std::size_t machine, std::size_t port) {
  std::vector<Hung> all;
  const auto add = [&](const Plug& here, const Plug& there, const Cable& cable, bool hubs_seen) {
    if (here.machine != machine || here.port != port) return;
    const Machine& peer = cluster.machines[there.machine];
    const bool offers = peer.rdma && peer.generation >= 5;
    all.push_back({hubs_seen ? cable.hubs : std::vector<std::string>{}, peer.product, peer.model,
                   domain_uuid(there.machine, there.port), offers, cable.gbps});
  };
  for (const auto& cable : cluster.cables) {
    add(cable.a, cable.b, cable, true);
    add(cable.b, cable.a, cable, false);
  }
  for (const auto& plug : cluster.strangers) {
    if (plug.machine != machine || plug.port != port) continue;
    all.push_back({{},
                   "Mac mini",
                   "Mac16,11",
                   fmt::format("{:08X}-0000-4000-8000-00000000FFFF", machine * 100 + port),
                   true,
                   80});
  }
  return all;
}

std::string speed_of(const Cluster& cluster, std::size_t machine, std::size_t port) {
  const auto hung = hung_on(cluster, machine, port);
  if (!hung.empty()) return fmt::format("{} Gb/s", hung.front().gbps);
  if (!cluster.machines[machine].ports[port].drive.empty()) return "40 Gb/s";
  if (!cluster.machines[machine].ports[port].dock.empty()) return fmt::format("{} Gb/s", kDockGbps);
  return fmt::format("Up to {} Gb/s", most(cluster.machines[machine]));
}

json peer_json(const Hung& peer) {
  json services = json::array({{{"_name", "service_ip"},
                                {"protocol_id_key", 1},
                                {"protocol_revision_key", 1},
                                {"protocol_version_key", 1},
                                {"service_uuid_key", kIpService}}});
  if (peer.rdma) {
    services.push_back({{"_name", "unknown_xd_service"},
                        {"protocol_id_key", 64087},
                        {"protocol_revision_key", 0},
                        {"protocol_version_key", 1},
                        {"service_key_key", "\u02c7\u02c7\u02c7\u02c7\u02c7\u02c7AD"},
                        {"service_uuid_key", kRdmaService}});
  }
  return {{"_name", peer.product},          {"device_id_key", "0xA"},     {"device_name_key", peer.model},
          {"domain_uuid_key", peer.uuid},   {"services_title", services}, {"vendor_id_key", "0x0A27"},
          {"vendor_name_key", "Apple Inc."}};
}

json drive_json(const std::string& name) {
  return {{"_name", name},
          {"device_id_key", "0x1"},
          {"device_name_key", name},
          {"device_revision_key", "0x1"},
          {"mode_key", "thunderbolt_three"},
          {"receptacle_upstream_ambiguous_tag",
           {{"current_speed_key", "40 Gb/s"},
            {"lc_version_key", "1.45.0"},
            {"link_status_key", "0x2"},
            {"receptacle_status_key", "receptacle_connected"}}},
          {"route_string_key", "1"},
          {"switch_uid_key", "0x0000000000000001"},
          {"switch_version_key", "67.1"},
          {"vendor_id_key", "0x0025"},
          {"vendor_name_key", "ACASIS"}};
}

json dock_port_json(bool used) {
  return {{"current_speed_key", used ? "40 Gb/s" : "Up to 120 Gb/s"},
          {"link_status_key", used ? "0x2" : "0x7"},
          {"micro_version_key", "1.9.0"},
          {"receptacle_status_key", used ? "receptacle_connected" : "receptacle_no_devices_connected"}};
}

/// What hangs behind a dock is on the first of its three ports.
json dock_json(const std::string& name, const json& behind, int gbps) {
  json dock = {{"_name", name},
               {"device_id_key", "0x501"},
               {"device_name_key", name},
               {"device_revision_key", "0x1"},
               {"mode_key", "usb_four_v2"},
               {"receptacle_2_tag", dock_port_json(!behind.empty())},
               {"receptacle_3_tag", dock_port_json(false)},
               {"receptacle_4_tag", dock_port_json(false)},
               {"receptacle_upstream_ambiguous_tag",
                {{"current_speed_key", fmt::format("{} Gb/s", gbps)},
                 {"link_status_key", "0x2"},
                 {"micro_version_key", "1.9.0"},
                 {"receptacle_status_key", "receptacle_connected"}}},
               {"route_string_key", "1"},
               {"switch_uid_key", "0x0000000000000008"},
               {"switch_version_key", "62.1"},
               {"vendor_id_key", "0x2EB9"},
               {"vendor_name_key", "Sabrent"}};
  if (!behind.empty()) dock["_items"] = behind;
  return dock;
}

json items_json(const Cluster& cluster, std::size_t machine, std::size_t port) {
  json items = json::array();
  for (const auto& hung : hung_on(cluster, machine, port)) {
    json item = peer_json(hung);
    for (auto hub = hung.hubs.rbegin(); hub != hung.hubs.rend(); ++hub) {
      item = dock_json(*hub, json::array({item}), hung.gbps);
    }
    items.push_back(std::move(item));
  }
  const Port& self = cluster.machines[machine].ports[port];
  if (!self.drive.empty()) items.push_back(drive_json(self.drive));
  if (!self.dock.empty()) items.push_back(dock_json(self.dock, json::array(), kDockGbps));
  return items;
}

json bus_json(const Cluster& cluster, std::size_t machine, std::size_t port) {
  const Machine& self = cluster.machines[machine];
  const json items = items_json(cluster, machine, port);
  json tag = {
      {"current_speed_key", speed_of(cluster, machine, port)},
      {"link_status_key", items.empty() ? "0x100" : "0x2"},
      {"receptacle_id_key", self.ports[port].receptacle},
      {"receptacle_status_key", items.empty() ? "receptacle_no_devices_connected" : "receptacle_connected"}};
  if (!items.empty()) tag["micro_version_key"] = "0.0.0";
  json bus = {{"_name", fmt::format("thunderboltusb4_bus_{}", std::stoi(self.ports[port].receptacle) - 1)},
              {"device_name_key", self.product},
              {"domain_uuid_key", domain_uuid(machine, port)},
              {"receptacle_1_tag", tag},
              {"route_string_key", "0"},
              {"switch_uid_key", fmt::format("0x05AC{:011X}{:X}", machine, port)},
              {"vendor_name_key", "Apple Inc."}};
  if (!items.empty()) bus["_items"] = items;
  return bus;
}

/// As macOS prints it: two spaces, sorted keys, `"key" : value`.
void print_native(const json& value, int indent, std::string& out) {
  const std::string inner(static_cast<std::size_t>(indent) + 2, ' ');
  const bool object = value.is_object();
  if (!object && !value.is_array()) {
    out += value.dump();
    return;
  }
  out += object ? "{" : "[";
  bool first = true;
  for (const auto& [key, element] : value.items()) {
    out += (first ? "\n" : ",\n") + inner;
    if (object) out += json(key).dump() + " : ";
    print_native(element, indent + 2, out);
    first = false;
  }
  out += "\n" + inner.substr(2) + (object ? "}" : "]");
}

void field(std::string& out, int indent, const std::string& key, const std::string& value) {
  out += fmt::format("{:{}}{}: {}\n", "", indent, key, value);
}

void title(std::string& out, int indent, const std::string& name) {
  out += fmt::format("\n{:{}}{}:\n\n", "", indent, name);
}

void service_text(std::string& out, int indent, const std::string& name, bool rdma) {
  out += fmt::format("{:{}}{}:\n", "", indent, name);
  field(out, indent + 2, "Protocol ID", rdma ? "64087" : "1");
  field(out, indent + 2, "Protocol Version", "1");
  field(out, indent + 2, "Protocol Revision", rdma ? "0" : "1");
  if (rdma) field(out, indent + 2, "Service Key", "rdma");
  field(out, indent + 2, "Service UUID", rdma ? kRdmaService : kIpService);
}

void peer_text(std::string& out, int indent, const Hung& peer) {
  title(out, indent, peer.product);
  const int inner = indent + 2;
  field(out, inner, "Vendor Name", "Apple Inc.");
  field(out, inner, "Device Name", peer.model);
  field(out, inner, "Device ID", "0xA");
  field(out, inner, "Vendor ID", "0x0A27");
  field(out, inner, "Domain UUID", peer.uuid);
  out += fmt::format("{:{}}Services:\n", "", inner);
  service_text(out, inner + 2, "Internet Protocol", false);
  if (peer.rdma) service_text(out, inner + 2, "Service: Unknown", true);
}

void port_text(std::string& out, int indent, const std::string& name, const std::string& speed,
               const std::string& link) {
  out += fmt::format("{:{}}{}:\n", "", indent, name);
  field(out, indent + 4, "Status", link == "0x2" ? "Device connected" : "No device connected");
  field(out, indent + 4, "Link Status", link);
  field(out, indent + 4, "Speed", speed);
}

void drive_text(std::string& out, int indent, const std::string& name) {
  title(out, indent, name);
  const int inner = indent + 2;
  field(out, inner, "Vendor Name", "ACASIS");
  field(out, inner, "Device Name", name);
  field(out, inner, "Mode", "Thunderbolt 3");
  field(out, inner, "Device ID", "0x1");
  field(out, inner, "Vendor ID", "0x0025");
  field(out, inner, "Device Revision", "0x1");
  field(out, inner, "UID", "0x0000000000000001");
  field(out, inner, "Route String", "1");
  field(out, inner, "Firmware Version", "67.1");
  port_text(out, inner, "Port (Upstream)", "40 Gb/s", "0x2");
  field(out, inner + 4, "Link Controller Firmware Version", "1.45.0");
}

void dock_text(std::string& out, int indent, const std::string& name, bool used, int gbps) {
  title(out, indent, name);
  const int inner = indent + 2;
  field(out, inner, "Vendor Name", "Sabrent");
  field(out, inner, "Device Name", name);
  field(out, inner, "Mode", "USB4 v2");
  field(out, inner, "Device ID", "0x501");
  field(out, inner, "Vendor ID", "0x2EB9");
  field(out, inner, "Device Revision", "0x1");
  field(out, inner, "UID", "0x0000000000000008");
  field(out, inner, "Route String", "1");
  field(out, inner, "Firmware Version", "62.1");
  port_text(out, inner, "Port (Upstream)", fmt::format("{} Gb/s", gbps), "0x2");
  field(out, inner + 4, "Micro Firmware Version", "1.9.0");
  for (int port = 0; port < 3; ++port) {
    const bool here = used && port == 0;
    port_text(out, inner, "Port", here ? "40 Gb/s" : "Up to 120 Gb/s", here ? "0x2" : "0x7");
    field(out, inner + 4, "Micro Firmware Version", "1.9.0");
  }
}

void bus_text(std::string& out, const Cluster& cluster, std::size_t machine, std::size_t port) {
  const Machine& self = cluster.machines[machine];
  const auto hung = hung_on(cluster, machine, port);
  const Port& own = self.ports[port];
  const bool empty = hung.empty() && own.drive.empty() && own.dock.empty();
  title(out, 4, fmt::format("Thunderbolt/USB4 Bus {}", std::stoi(own.receptacle) - 1));
  field(out, 6, "Vendor Name", "Apple Inc.");
  field(out, 6, "Device Name", self.product);
  field(out, 6, "UID", fmt::format("0x05AC{:011X}{:X}", machine, port));
  field(out, 6, "Route String", "0");
  field(out, 6, "Domain UUID", domain_uuid(machine, port));
  port_text(out, 6, "Port", speed_of(cluster, machine, port), empty ? "0x100" : "0x2");
  field(out, 10, "Receptacle", own.receptacle);
  if (!empty) field(out, 10, "Micro Firmware Version", "0.0.0");
  for (const auto& peer : hung) {
    int indent = 8;
    for (const auto& hub : peer.hubs) {
      dock_text(out, indent, hub, true, peer.gbps);
      indent += 4;
    }
    peer_text(out, indent, peer);
  }
  if (!own.drive.empty()) drive_text(out, 8, own.drive);
  if (!own.dock.empty()) dock_text(out, 8, own.dock, false, kDockGbps);
}

}  // namespace

std::string domain_uuid(std::size_t machine, std::size_t port) {
  return fmt::format("{:08X}-0000-4000-8000-{:012X}", machine + 1, port + 1);
}

std::string system_profiler_json(const Cluster& cluster, std::size_t machine) {
  json buses = json::array();
  for (std::size_t port = cluster.machines[machine].ports.size(); port-- > 0;) {
    buses.push_back(bus_json(cluster, machine, port));
  }
  std::string out;
  print_native({{"SPThunderboltDataType", buses}}, 0, out);
  return out + "\n";
}

std::string system_profiler_text(const Cluster& cluster, std::size_t machine) {
  std::string out = "Thunderbolt/USB4:\n";
  for (std::size_t port = cluster.machines[machine].ports.size(); port-- > 0;) {
    bus_text(out, cluster, machine, port);
  }
  return out + "\n";
}

}  // namespace jackal::simmac
