// networksetup: hardware ports, network services and their preferences.
#include "simmac/networksetup.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "jackal/base/file.hpp"
#include "simmac/node_state.hpp"

namespace jackal::simmac {
namespace {

using nlohmann::json;

// Per service: "created" with its hardware port, "enabled", "manual" [address, mask, router].
const char* const kPreferences = "/Library/Preferences/SystemConfiguration/simulated-services.json";
constexpr std::size_t kMostBytes = 1U << 20;
constexpr int kInvalid = 4;
constexpr int kNoPrivileges = 14;

int refuse(const std::string& text, int code) {
  std::printf("%s\n", text.c_str());
  return code;
}

json read_preferences() {
  const auto text = read_file(kPreferences, kMostBytes);
  return text ? json::parse(*text) : json::object();
}

/// The services of one machine, as they are with its preferences.
class Services {
public:
  explicit Services(const Mac& mac)
      : state_(read_node_state()),
        cluster_(as_it_is(mac.description.cluster, mac.self, state_)),
        self_(mac.self),
        preferences_(read_preferences()),
        all_(services(cluster_, self_)) {
    for (const auto& [name, own] : preferences_.items()) {
      if (!own.contains("created")) continue;
      const std::string port = own["created"];
      all_.push_back({name, port, device_of(port)});
    }
    for (auto& service : all_) service.enabled = preference(service.name).value("enabled", true);
  }

  const std::vector<Service>& all() const { return all_; }
  const Cluster& cluster() const { return cluster_; }
  const Service* find(const std::string& name) const {
    const auto found =
        std::find_if(all_.begin(), all_.end(), [&](const Service& service) { return service.name == name; });
    return found == all_.end() ? nullptr : &*found;
  }
  std::string device_of(const std::string& port) const {
    for (const auto& own : cluster_.machines[self_].ports) {
      if (port == "Thunderbolt " + own.receptacle) return own.interface;
    }
    return port == "Ethernet" ? "en0" : "";
  }
  json preference(const std::string& name) const { return preferences_.value(name, json::object()); }
  bool prefer(const std::string& name, const json& own) {
    if (own.empty())
      preferences_.erase(name);
    else
      preferences_[name] = own;
    return write_file(kPreferences, preferences_.dump(2) + "\n").has_value();
  }
  const Interface* interface(const Service& service) const {
    const auto found = state_.interfaces.find(service.device);
    return found == state_.interfaces.end() ? nullptr : &found->second;
  }

private:
  NodeState state_;
  Cluster cluster_;
  std::size_t self_;
  json preferences_;
  std::vector<Service> all_;
};

/// The address of the service's preferences takes the place of all others of its interface.
std::vector<std::string> address_lines(const Services& services, const Service& service) {
  std::vector<std::string> lines;
  const auto own = services.preference(service.name);
  const auto* interface = services.interface(service);
  if (interface == nullptr || service.device == "en0") return lines;
  for (const auto& old : interface->addresses) {
    lines.push_back(fmt::format("addr del {}/{} dev {}", old.ip, old.prefix, service.device));
  }
  if (!own.contains("manual") || !service.enabled || !interface->master.empty()) return lines;
  const auto mask = tbdiscovery::parse_ipv4(own["manual"][1].get<std::string>());
  lines.push_back(fmt::format("addr add {}/{} broadcast + dev {}", own["manual"][0].get<std::string>(),
                              tbdiscovery::prefix_of_mask(mask->value).value_or(24), service.device));
  return lines;
}

int get_info(const Services& services, const Service& service) {
  const auto own = services.preference(service.name);
  const bool manual = own.contains("manual");
  std::printf("%s Configuration\n", manual ? "Manual" : "DHCP");
  const auto* interface = services.interface(service);
  const bool has_address = interface != nullptr && !interface->addresses.empty();
  if (manual || has_address) {
    const auto ip = manual ? own["manual"][0].get<std::string>() : interface->addresses.front().ip;
    const auto mask = manual ? own["manual"][1].get<std::string>()
                             : tbdiscovery::netmask_text(interface->addresses.front().prefix);
    const auto router = manual ? own["manual"][2].get<std::string>() : "";
    std::printf("IP address: %s\nSubnet mask: %s\nRouter: %s\n", ip.c_str(), mask.c_str(),
                router.empty() ? "(null)" : router.c_str());
  }
  if (!manual) std::printf("Client ID:\n");
  std::printf("IPv6: Automatic\nIPv6 IP address: none\nIPv6 Router: none\n");
  return 0;
}

int change(Services& services, const Mac& mac, const Words& words) {
  const std::string& verb = words[0];
  const std::string& name = words[1];
  if (verb == "-createnetworkservice") {
    if (words.size() != 3 || services.device_of(words[2]).empty() || services.find(name) != nullptr) {
      return refuse("** Error: The parameters were not valid.", kInvalid);
    }
    return services.prefer(name, {{"created", words[2]}}) ? 0 : 1;
  }
  const auto* service = services.find(name);
  if (service == nullptr) {
    return refuse(name + " is not a recognized network service.\n** Error: The parameters were not valid.",
                  kInvalid);
  }
  auto own = services.preference(name);
  if (verb == "-setmanual" && words.size() >= 4 && tbdiscovery::parse_ipv4(words[2]) &&
      tbdiscovery::parse_ipv4(words[3])) {
    own["manual"] = {words[2], words[3], words.size() > 4 ? words[4] : ""};
  } else if (verb == "-setdhcp") {
    own.erase("manual");
  } else if (verb == "-setnetworkserviceenabled" && words.size() == 3 &&
             (words[2] == "on" || words[2] == "off")) {
    own["enabled"] = words[2] == "on";
  } else if (verb == "-removenetworkservice" && own.contains("created")) {
    own = json::object();
  } else {
    return refuse("** Error: The parameters were not valid.", kInvalid);
  }
  if (!services.prefer(name, own)) return 1;
  const Services changed(mac);
  const auto* now = changed.find(name);
  return run_ip(address_lines(changed, now == nullptr ? *service : *now));
}

}  // namespace

std::vector<std::string> configured_lines(const Mac& mac) {
  const Services services(mac);
  std::vector<std::string> lines;
  for (const auto& service : services.all()) {
    if (!services.preference(service.name).contains("manual")) continue;
    const auto own = address_lines(services, service);
    lines.insert(lines.end(), own.begin(), own.end());
  }
  return lines;
}

int networksetup(const Mac& mac, const Words& words) {
  const std::string verb = words.empty() ? "" : words.front();
  Services services(mac);
  if (verb == "-listallhardwareports") {
    std::fputs(hardware_ports(services.cluster(), mac.self).c_str(), stdout);
    return 0;
  }
  if (verb == "-listnetworkserviceorder") {
    std::fputs(service_order(services.all()).c_str(), stdout);
    return 0;
  }
  if (verb == "-listallnetworkservices") {
    std::printf("An asterisk (*) denotes that a network service is disabled.\n");
    for (const auto& service : services.all())
      std::printf("%s%s\n", service.enabled ? "" : "*", service.name.c_str());
    return 0;
  }
  if (verb == "-getinfo" && words.size() == 2 && services.find(words[1]) != nullptr) {
    return get_info(services, *services.find(words[1]));
  }
  if (words.size() < 2) return refuse("** Error: The parameters were not valid.", kInvalid);
  if (::geteuid() != 0) return refuse("** Error: Command requires admin privileges.", kNoPrivileges);
  return change(services, mac, words);
}

}  // namespace jackal::simmac
