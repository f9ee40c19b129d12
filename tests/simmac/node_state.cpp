#include "simmac/node_state.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/route.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

namespace jackal::simmac {
namespace {

using tbdiscovery::Ipv4;

Ipv4 ipv4_of(const sockaddr* address) {
  return {ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr)};
}

void add_address(const ifaddrs& entry, Interface& interface) {
  if (entry.ifa_addr == nullptr) return;
  if (entry.ifa_addr->sa_family == AF_INET) {
    interface.addresses.push_back(
        {to_string(ipv4_of(entry.ifa_addr)), std::popcount(ipv4_of(entry.ifa_netmask).value)});
  }
}

std::string master_of(const std::string& interface) {
  std::error_code none;
  const auto link = std::filesystem::read_symlink("/sys/class/net/" + interface + "/master", none);
  return none ? "" : link.filename().string();
}

std::map<std::string, Interface> read_interfaces() {
  std::map<std::string, Interface> interfaces;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return interfaces;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
    auto& interface = interfaces[entry->ifa_name];
    interface.up = (entry->ifa_flags & IFF_UP) != 0;
    interface.running = interface.up && (entry->ifa_flags & IFF_RUNNING) != 0;
    add_address(*entry, interface);
  }
  for (auto& [name, interface] : interfaces) {
    interface.master = master_of(name);
    std::ifstream("/sys/class/net/" + name + "/mtu") >> interface.mtu;
  }
  return interfaces;
}

std::vector<KernelRoute> read_routes() {
  std::vector<KernelRoute> routes;
  std::ifstream file("/proc/net/route");
  std::string line;
  std::getline(file, line);  // its titles
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string interface, skipped;
    std::uint32_t to = 0, gateway = 0, flags = 0, mask = 0;
    words >> interface >> std::hex >> to >> gateway >> flags >> skipped >> skipped >> skipped >> mask;
    if (!words || (flags & RTF_UP) == 0) continue;
    KernelRoute route;
    route.to = tbdiscovery::network_of({ntohl(to)}, std::popcount(mask));
    if ((flags & RTF_GATEWAY) != 0) route.gateway = Ipv4{ntohl(gateway)};
    route.interface = interface;
    routes.push_back(std::move(route));
  }
  return routes;
}

}  // namespace

const KernelRoute* NodeState::route_to(Ipv4 to) const {
  const KernelRoute* best = nullptr;
  for (const auto& route : routes) {
    if (contains(route.to, to) && (best == nullptr || route.to.prefix > best->to.prefix)) best = &route;
  }
  return best;
}

NodeState read_node_state() { return {read_interfaces(), read_routes()}; }

Cluster as_it_is(Cluster cluster, std::size_t machine, const NodeState& state) {
  Machine& self = cluster.machines[machine];
  const auto bridge = state.interfaces.find("bridge0");
  self.bridge = bridge != state.interfaces.end();
  if (self.bridge) {
    self.bridge_up = bridge->second.up;
    self.bridge_addresses = bridge->second.addresses;
  }
  if (const auto lan = state.interfaces.find("en0"); lan != state.interfaces.end()) {
    if (!lan->second.addresses.empty()) self.lan_ip = lan->second.addresses.front().ip;
  }
  std::vector<bool> dark(self.ports.size());
  for (std::size_t i = 0; i < self.ports.size(); ++i) {
    Port& port = self.ports[i];
    const auto found = state.interfaces.find(port.interface);
    if (found == state.interfaces.end()) continue;
    port.addresses = found->second.addresses;
    port.in_bridge = !found->second.master.empty();
    port.up = found->second.up;
    port.mtu = found->second.mtu;
    dark[i] = found->second.up && !found->second.running;
  }
  const auto is_dark = [&](const Plug& plug) { return plug.machine == machine && dark[plug.port]; };
  std::erase_if(cluster.cables, [&](const Cable& cable) { return is_dark(cable.a) || is_dark(cable.b); });
  std::erase_if(cluster.strangers, is_dark);
  return cluster;
}

}  // namespace jackal::simmac
