// networksetup and netstat.
#include <fmt/format.h>

#include "jackal/tbdiscovery/ipv4.hpp"
#include "simmac/cluster.hpp"

namespace jackal::simmac {

std::string hardware_ports(const Cluster& cluster, std::size_t machine) {
  const Machine& self = cluster.machines[machine];
  std::string out;
  const auto add = [&](const std::string& name, const std::string& device, const std::string& mac) {
    out += fmt::format("\nHardware Port: {}\nDevice: {}\nEthernet Address: {}\n", name, device, mac);
  };
  add("Ethernet", "en0", kLanMac);
  add("Thunderbolt Ethernet Slot 1", "en20", "64:4b:f0:60:6b:96");
  if (self.bridge) add("Thunderbolt Bridge", "bridge0", mac_address(machine, 0));
  for (std::size_t i = 0; i < self.ports.size(); ++i) {
    const Port& port = self.ports[i];
    if (port.listed) add("Thunderbolt " + port.receptacle, port.interface, mac_address(machine, i));
  }
  return out + "\nVLAN Configurations\n===================\n";
}

std::vector<Service> services(const Cluster& cluster, std::size_t machine) {
  const Machine& self = cluster.machines[machine];
  std::vector<Service> all = {{"Ethernet", "Ethernet", "en0"}};
  if (self.bridge) all.push_back({"Thunderbolt Bridge", "Thunderbolt Bridge", "bridge0"});
  for (const auto& port : self.ports) {
    const auto name = "Thunderbolt " + port.receptacle;
    if (!self.bridge && port.listed) all.push_back({name, name, port.interface});
  }
  for (const auto& service : self.services) {
    const auto first = service.find('|');
    const auto second = service.find('|', first + 1);
    all.push_back({service.substr(0, first), service.substr(first + 1, second - first - 1),
                   service.substr(second + 1)});
  }
  return all;
}

std::string service_order(const std::vector<Service>& services) {
  std::string out = "An asterisk (*) denotes that a network service is disabled.\n";
  int number = 0;
  for (const auto& service : services) {
    ++number;
    out += fmt::format("({}) {}\n(Hardware Port: {}, Device: {})\n\n",
                       service.enabled ? std::to_string(number) : "*", service.name, service.port,
                       service.device);
  }
  return out;
}

/// As netstat writes it: without the octets that the address' class and its zeros make superfluous.
std::string short_network(const tbdiscovery::Network& network) {
  const auto value = network.address.value;
  const int natural = value < 0x80000000U ? 8 : value < 0xC0000000U ? 16 : 24;
  std::string text = tbdiscovery::to_string(network.address);
  for (int octets = natural / 8; octets < 4; ++octets) {
    if ((value & ~std::uint32_t{0} >> (octets * 8)) != 0) continue;
    for (int i = octets; i < 4; ++i) text.erase(text.rfind('.'));
    break;
  }
  return network.prefix == natural ? text : fmt::format("{}/{}", text, network.prefix);
}

std::string routing_table(const std::vector<RouteRow>& rows) {
  std::string out =
      "Routing tables\n\nInternet:\nDestination        Gateway            Flags               Netif Expire\n";
  for (const auto& row : rows) {
    // What is reached without a gateway over Ethernet is marked.
    const bool marked = row.gateway.compare(0, 5, "link#") == 0 && row.interface.compare(0, 2, "lo") != 0;
    out += fmt::format("{:<18} {:<18} {:<12} {:>12} {:>6}\n", row.to, row.gateway, row.flags, row.interface,
                       marked ? "!" : "");
  }
  return out;
}

std::string routes(const Cluster& cluster, std::size_t machine) {
  using namespace tbdiscovery;
  const Machine& self = cluster.machines[machine];
  const auto lan = parse_ipv4(self.lan_ip).value_or(Ipv4{});
  std::vector<RouteRow> rows = {{"default", to_string(Ipv4{(lan.value & 0xFFFFFF00U) | 1}), "UGScg", "en0"},
                                {"127", "127.0.0.1", "UCS", "lo0"},
                                {short_network(network_of(lan, 24)), "link#10", "UCS", "en0"}};
  for (std::size_t i = 0; i < self.ports.size(); ++i) {
    for (const auto& address : self.ports[i].addresses) {
      const auto ip = parse_ipv4(address.ip).value_or(Ipv4{});
      rows.push_back({short_network(network_of(ip, address.prefix)),
                      fmt::format("link#{}", interface_index(self, self.ports[i].interface)), "UCS",
                      self.ports[i].interface});
    }
  }
  std::string out = routing_table(rows);
  for (const auto& line : self.routes) out += line + "\n";
  return out;
}

}  // namespace jackal::simmac
