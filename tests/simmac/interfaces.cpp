// ifconfig -a.
#include <fmt/format.h>

#include <algorithm>

#include "simmac/cluster.hpp"
#include "simmac/ports.hpp"

namespace jackal::simmac {
namespace {

constexpr const char* kUp = "8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST>";
constexpr const char* kMember = "8963<UP,BROADCAST,SMART,RUNNING,PROMISC,SIMPLEX,MULTICAST>";
constexpr const char* kDown = "8822<BROADCAST,SMART,SIMPLEX,MULTICAST>";
constexpr const char* kNeighbours = "\tnd6 options=201<PERFORMNUD,DAD>\n";

std::string inet_line(const Address& address) {
  using namespace tbdiscovery;
  const auto ip = parse_ipv4(address.ip).value_or(Ipv4{});
  const std::uint32_t mask = address.prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - address.prefix);
  return fmt::format("\tinet {} netmask 0x{:08x} broadcast {}\n", address.ip, mask,
                     to_string(Ipv4{ip.value | ~mask}));
}

/// What hangs on the port can be talked to.
bool is_active(const Cluster& cluster, std::size_t machine, std::size_t port) {
  return cluster.machines[machine].ports[port].up && is_cabled(cluster, machine, port);
}

std::string port_stanza(const Cluster& cluster, std::size_t machine, std::size_t index) {
  const Machine& self = cluster.machines[machine];
  const Port& port = self.ports[index];
  const bool active = is_active(cluster, machine, index);
  const bool talks = active && !port.in_bridge;
  std::string out =
      fmt::format("{}: flags={} mtu {}\n\toptions=460<TSO4,TSO6,CHANNEL_IO>\n\tether {}\n", port.interface,
                  !port.up         ? kDown
                  : port.in_bridge ? kMember
                                   : kUp,
                  port.mtu, mac_address(machine, index));
  if (talks) {
    out += fmt::format("\tinet6 {}%{} prefixlen 64 secured scopeid 0x{:x}\n", privacy_address(machine, index),
                       port.interface, interface_index(self, port.interface));
  }
  for (const auto& address : port.addresses) out += inet_line(address);
  if (talks || !port.addresses.empty()) out += kNeighbours;
  return out +
         fmt::format("\tmedia: autoselect <full-duplex>\n\tstatus: {}\n", active ? "active" : "inactive");
}

std::string bridge_stanza(const Cluster& cluster, std::size_t machine) {
  const Machine& self = cluster.machines[machine];
  std::string out =
      fmt::format("bridge0: flags={} mtu 1500\n\toptions=63<RXCSUM,TXCSUM,TSO4,TSO6>\n\tether {}\n",
                  self.bridge_up ? kUp : kDown, mac_address(machine, 0));
  for (const auto& address : self.bridge_addresses) out += inet_line(address);
  out +=
      "\tConfiguration:\n\t\tid 0:0:0:0:0:0 priority 0 hellotime 0 fwddelay 0\n"
      "\t\tmaxage 0 holdcnt 0 proto stp maxaddr 100 timeout 1200\n"
      "\t\troot id 0:0:0:0:0:0 priority 0 ifcost 0 port 0\n\t\tipfilter disabled flags 0x0\n";
  bool active = false;
  for (std::size_t i = 0; i < self.ports.size(); ++i) {
    const Port& port = self.ports[i];
    if (!port.in_bridge) continue;
    active = active || is_active(cluster, machine, i);
    out += fmt::format(
        "\tmember: {} flags=3<LEARNING,DISCOVER>\n\t        ifmaxaddr 0 port {} priority 0 path cost 0\n",
        port.interface, interface_index(self, port.interface));
  }
  if (!self.bridge_addresses.empty()) out += kNeighbours;
  active = active && self.bridge_up;
  return out + fmt::format("\tmedia: {}\n\tstatus: {}\n", active ? "autoselect" : "<unknown type>",
                           active ? "active" : "inactive");
}

}  // namespace

std::string ifconfig(const Cluster& cluster, std::size_t machine) {
  const Machine& self = cluster.machines[machine];
  std::string out =
      fmt::format("en0: flags={} mtu 1500\n\tether {}\n{}\tmedia: autoselect\n\tstatus: active\n", kUp,
                  kLanMac, self.lan_ip.empty() ? "" : inet_line({self.lan_ip, 24}));
  for (std::size_t i = 0; i < self.ports.size(); ++i) out += port_stanza(cluster, machine, i);
  if (self.bridge) out += bridge_stanza(cluster, machine);
  return out;
}

}  // namespace jackal::simmac
