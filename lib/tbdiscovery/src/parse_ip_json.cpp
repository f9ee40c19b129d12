// ip -json addr and ip -json route of Linux.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "jackal/base/text.hpp"
#include "lines.hpp"
#include "parsers.hpp"

namespace jackal::tbdiscovery {
namespace {

using nlohmann::json;

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int number_of(const json& object, const char* key, int otherwise) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return otherwise;
  const auto value = found->get<std::int64_t>();
  return value >= 0 && value <= 1'000'000 ? static_cast<int>(value) : otherwise;
}

std::optional<json> parse_list(std::string_view bytes, const char* file, Findings& findings) {
  json document = json::parse(valid_utf8(bytes), nullptr, false);
  if (document.is_array()) return document;
  findings.push_back({file, "is not a JSON list"});
  return std::nullopt;
}

void read_addresses(const json& object, Interface& interface) {
  const auto list = object.find("addr_info");
  if (list == object.end() || !list->is_array()) return;
  for (const auto& entry : *list) {
    if (!entry.is_object()) continue;
    const auto local = text_of(entry, "local");
    const auto address = parse_ipv4(local);
    const int prefix = number_of(entry, "prefixlen", 32);
    if (address && prefix <= 32) interface.addresses.push_back({*address, prefix});
    if (text_of(entry, "family") == "inet6" && !local.empty()) interface.ipv6.push_back(local);
  }
}

Interface interface_of(const json& object) {
  Interface interface;
  interface.name = text_of(object, "ifname");
  interface.mac = text_of(object, "address");
  interface.mtu = number_of(object, "mtu", 0);
  const auto flags = object.find("flags");
  if (flags != object.end() && flags->is_array()) {
    interface.up = std::find(flags->begin(), flags->end(), json("UP")) != flags->end();
  }
  const auto state = text_of(object, "operstate");
  if (state == "UP" || state == "DOWN") interface.active = state == "UP";
  read_addresses(object, interface);
  return interface;
}

std::optional<Network> destination(const std::string& text) {
  const auto slash = text.find('/');
  const auto address = parse_ipv4(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string::npos) return Network{*address, 32};
  const auto prefix = parse_integer<int>(text.substr(slash + 1));
  if (!prefix || *prefix < 0 || *prefix > 32) return std::nullopt;
  return network_of(*address, *prefix);
}

}  // namespace

std::optional<std::vector<Interface>> parse_ip_addr(std::string_view bytes, Findings& findings) {
  const auto list = parse_list(bytes, "ip_addr.json", findings);
  if (!list) return std::nullopt;
  std::vector<Interface> interfaces;
  std::vector<std::pair<std::string, std::string>> masters;  // member, bridge
  for (const auto& entry : *list) {
    if (!entry.is_object() || text_of(entry, "ifname").empty()) continue;
    interfaces.push_back(interface_of(entry));
    const auto master = text_of(entry, "master");
    if (!master.empty()) masters.emplace_back(interfaces.back().name, master);
  }
  for (const auto& [member, bridge] : masters) {
    for (auto& interface : interfaces) {
      if (interface.name == bridge) interface.members.push_back(member);
    }
  }
  return interfaces;
}

std::optional<std::vector<Route>> parse_ip_route(std::string_view bytes, Findings& findings) {
  const auto list = parse_list(bytes, "ip_route.json", findings);
  if (!list) return std::nullopt;
  std::vector<Route> routes;
  for (const auto& entry : *list) {
    if (!entry.is_object()) continue;
    Route route;
    const auto dst = text_of(entry, "dst");
    route.is_default = dst == "default";
    if (!route.is_default) {
      const auto to = destination(dst);
      if (!to) continue;
      route.to = *to;
    }
    route.gateway = parse_ipv4(text_of(entry, "gateway"));
    route.interface = text_of(entry, "dev");
    routes.push_back(std::move(route));
  }
  return routes;
}

}  // namespace jackal::tbdiscovery
