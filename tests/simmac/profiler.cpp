// system_profiler SPThunderboltDataType, both forms.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "simmac/cluster.hpp"

namespace jackal::simmac {
namespace {

using nlohmann::json;

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
  return fmt::format("Up to {} Gb/s", most(cluster.machines[machine]));
}

json peer_json(const Hung& peer) {
  json services = json::array({{{"_name", "service_ip"},
                                {"protocol_id_key", 1},
                                {"protocol_revision_key", 1},
                                {"protocol_version_key", 1},
                                {"service_uuid_key", "F715FC30-BEC1-46E4-BC8A-E2FE90C05BC5"}}});
  if (peer.rdma) {
    services.push_back({{"_name", "unknown_xd_service"},
                        {"protocol_id_key", 64087},
                        {"protocol_revision_key", 0},
                        {"protocol_version_key", 1},
                        {"service_key_key", "\u02c7\u02c7\u02c7\u02c7\u02c7\u02c7AD"},
                        {"service_uuid_key", "0139D311-1BC2-4A68-91AE-A7FC73421D3D"}});
  }
  return {{"_name", peer.product},          {"device_id_key", "0xA"},     {"device_name_key", peer.model},
          {"domain_uuid_key", peer.uuid},   {"services_title", services}, {"vendor_id_key", "0x0A27"},
          {"vendor_name_key", "Apple Inc."}};
}

json device_json(const std::string& name) {
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

json items_json(const Cluster& cluster, std::size_t machine, std::size_t port) {
  json items = json::array();
  for (const auto& hung : hung_on(cluster, machine, port)) {
    json item = peer_json(hung);
    for (auto hub = hung.hubs.rbegin(); hub != hung.hubs.rend(); ++hub) {
      json outer = device_json(*hub);
      outer["_items"] = json::array({item});
      item = std::move(outer);
    }
    items.push_back(std::move(item));
  }
  const auto& drive = cluster.machines[machine].ports[port].drive;
  if (!drive.empty()) items.push_back(device_json(drive));
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

void peer_text(std::string& out, int indent, const Hung& peer) {
  title(out, indent, peer.product);
  const int inner = indent + 2;
  field(out, inner, "Vendor Name", "Apple Inc.");
  field(out, inner, "Device Name", peer.model);
  field(out, inner, "Device ID", "0xA");
  field(out, inner, "Vendor ID", "0x0A27");
  field(out, inner, "Domain UUID", peer.uuid);
  out += fmt::format("{:{}}Services:\n{:{}}Internet Protocol:\n", "", inner, "", inner + 2);
  field(out, inner + 4, "Protocol ID", "1");
  if (!peer.rdma) return;
  out += fmt::format("{:{}}Service: Unknown:\n", "", inner + 2);
  field(out, inner + 4, "Protocol ID", "64087");
  field(out, inner + 4, "Service Key", "rdma");
}

void device_text(std::string& out, int indent, const std::string& name) {
  title(out, indent, name);
  field(out, indent + 2, "Vendor Name", "ACASIS");
  field(out, indent + 2, "Device Name", name);
  field(out, indent + 2, "Mode", "Thunderbolt 3");
  field(out, indent + 2, "UID", "0x0000000000000001");
  out += fmt::format("{:{}}Port (Upstream):\n", "", indent + 2);
  field(out, indent + 6, "Status", "Device connected");
  field(out, indent + 6, "Speed", "40 Gb/s");
}

void bus_text(std::string& out, const Cluster& cluster, std::size_t machine, std::size_t port) {
  const Machine& self = cluster.machines[machine];
  const auto hung = hung_on(cluster, machine, port);
  const bool empty = hung.empty() && self.ports[port].drive.empty();
  title(out, 4, fmt::format("Thunderbolt/USB4 Bus {}", std::stoi(self.ports[port].receptacle) - 1));
  field(out, 6, "Vendor Name", "Apple Inc.");
  field(out, 6, "Device Name", self.product);
  field(out, 6, "UID", fmt::format("0x05AC{:011X}{:X}", machine, port));
  field(out, 6, "Route String", "0");
  field(out, 6, "Domain UUID", domain_uuid(machine, port));
  out += "      Port:\n";
  field(out, 10, "Status", empty ? "No device connected" : "Device connected");
  field(out, 10, "Link Status", empty ? "0x100" : "0x2");
  field(out, 10, "Speed", speed_of(cluster, machine, port));
  field(out, 10, "Receptacle", self.ports[port].receptacle);
  for (const auto& peer : hung) {
    int indent = 8;
    for (const auto& hub : peer.hubs) {
      device_text(out, indent, hub);
      indent += 4;
    }
    peer_text(out, indent, peer);
  }
  if (!self.ports[port].drive.empty()) device_text(out, 8, self.ports[port].drive);
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
