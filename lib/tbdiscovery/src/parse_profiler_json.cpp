// system_profiler SPThunderboltDataType -json.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "jackal/base/text.hpp"
#include "lines.hpp"
#include "parsers.hpp"

namespace jackal::tbdiscovery {
namespace {

using nlohmann::json;
constexpr const char* kFile = "system_profiler.json";

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? printable(found->get<std::string>()) : std::string();
}

int number_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return -1;
  if (found->is_number_integer()) {
    const auto value = found->get<std::int64_t>();
    return value >= 0 && value <= 0xFFFF ? static_cast<int>(value) : -1;
  }
  return found->is_string() ? parse_integer<int>(found->get<std::string>()).value_or(-1) : -1;
}

bool is_receptacle_key(std::string_view key) {
  return key.substr(0, 11) == "receptacle_" && key.size() > 4 && key.substr(key.size() - 4) == "_tag";
}

Receptacle receptacle_of(const json& tag) {
  Receptacle receptacle;
  receptacle.id = text_of(tag, "receptacle_id_key");
  if (receptacle.id.empty()) {
    const int number = number_of(tag, "receptacle_id_key");
    if (number >= 0) receptacle.id = std::to_string(number);
  }
  receptacle.connected = text_of(tag, "receptacle_status_key") == "receptacle_connected";
  receptacle.speed = text_of(tag, "current_speed_key");
  receptacle.gbps = gigabits_in(receptacle.speed);
  receptacle.linked = receptacle.gbps > 0 && lower(receptacle.speed).find("up to") == std::string::npos;
  return receptacle;
}

void read_services(const json& object, Device& device) {
  const auto services = object.find("services_title");
  if (services == object.end() || !services->is_array()) return;
  device.services_known = true;
  for (const auto& service : *services) {
    if (service.is_object() && number_of(service, "protocol_id_key") == kRdmaProtocol) {
      device.offers_rdma = true;
    }
  }
}

std::vector<Device> devices_of(const json& object, int depth, Findings& findings);

Device device_of(const json& object, int depth, Findings& findings) {
  Device device;
  device.name = text_of(object, "_name");
  device.vendor = text_of(object, "vendor_name_key");
  device.mode = text_of(object, "mode_key");
  device.domain_uuid = upper(text_of(object, "domain_uuid_key"));
  read_services(object, device);
  // A drive, dock or display has a switch of its own and no domain; a computer is the end of another domain.
  device.computer =
      !device.domain_uuid.empty() && (device.services_known || object.find("switch_uid_key") == object.end());
  if (device.computer) device.model = text_of(object, "device_name_key");
  const auto upstream = object.find("receptacle_upstream_ambiguous_tag");
  if (upstream != object.end() && upstream->is_object()) device.gbps = receptacle_of(*upstream).gbps;
  device.behind = devices_of(object, depth + 1, findings);
  return device;
}

std::vector<Device> devices_of(const json& object, int depth, Findings& findings) {
  std::vector<Device> devices;
  const auto items = object.find("_items");
  if (items == object.end() || !items->is_array() || items->empty()) return devices;
  if (depth > kDeepestTree) {
    findings.push_back({kFile, fmt::format("devices nested more than {} deep were left out", kDeepestTree)});
    return devices;
  }
  for (const auto& item : *items) {
    if (item.is_object()) devices.push_back(device_of(item, depth, findings));
  }
  return devices;
}

Bus bus_of(const json& object, Findings& findings) {
  Bus bus;
  bus.name = text_of(object, "_name");
  bus.machine = text_of(object, "device_name_key");
  bus.domain_uuid = upper(text_of(object, "domain_uuid_key"));
  bus.uid = text_of(object, "switch_uid_key");
  for (const auto& [key, value] : object.items()) {
    if (is_receptacle_key(key) && value.is_object()) bus.receptacles.push_back(receptacle_of(value));
  }
  if (bus.receptacles.empty()) {
    findings.push_back({kFile, fmt::format("{} names no receptacle", bus.name.empty() ? "a bus" : bus.name)});
  }
  if (bus.domain_uuid.empty()) {
    findings.push_back(
        {kFile, fmt::format("{} has no domain UUID; its cable can only be seen from the other end",
                            bus.name.empty() ? "a bus" : bus.name)});
  }
  bus.devices = devices_of(object, 0, findings);
  return bus;
}

/// What stands before the first brace (a login banner) and stray bytes are forgiven; half a document is not.
json parse_document(std::string_view bytes) {
  const auto start = bytes.find('{');
  if (start == std::string_view::npos) return json(json::value_t::discarded);
  return json::parse(valid_utf8(bytes.substr(start)), nullptr, false);
}

}  // namespace

std::optional<std::vector<Bus>> parse_profiler_json(std::string_view bytes, Findings& findings) {
  const json document = parse_document(bytes);
  if (document.is_discarded()) {
    findings.push_back({kFile, "is not JSON, or only a part of it"});
    return std::nullopt;
  }
  const auto list = document.find("SPThunderboltDataType");
  if (list == document.end() || !list->is_array()) {
    findings.push_back({kFile, "has no list SPThunderboltDataType"});
    return std::nullopt;
  }
  std::vector<Bus> buses;
  for (const auto& entry : *list) {
    if (entry.is_object()) buses.push_back(bus_of(entry, findings));
  }
  return buses;
}

}  // namespace jackal::tbdiscovery
