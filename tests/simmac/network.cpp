// networksetup, ifconfig, netstat and the verbs tools.
#include <fmt/format.h>

#include <algorithm>

#include "jackal/tbdiscovery/ipv4.hpp"
#include "simmac/cluster.hpp"

namespace jackal::simmac {
namespace {

bool is_cabled(const Cluster& cluster, std::size_t machine, std::size_t port) {
  const auto here = [&](const Plug& plug) { return plug.machine == machine && plug.port == port; };
  return std::any_of(cluster.cables.begin(), cluster.cables.end(),
                     [&](const Cable& cable) { return here(cable.a) || here(cable.b); }) ||
         std::any_of(cluster.strangers.begin(), cluster.strangers.end(), here);
}

bool has_devices(const Machine& machine) { return machine.rdma && machine.generation >= 5; }

bool peers_have_rdma(const Cluster& cluster, std::size_t machine, std::size_t port) {
  for (const auto& cable : cluster.cables) {
    const bool a = cable.a.machine == machine && cable.a.port == port;
    const bool b = cable.b.machine == machine && cable.b.port == port;
    if (a || b) return has_devices(cluster.machines[(a ? cable.b : cable.a).machine]);
  }
  return is_cabled(cluster, machine, port);
}

Machine machine_with(const std::string& name, const std::string& lan_ip,
                     const std::vector<std::pair<std::string, std::string>>& ports) {
  Machine machine;
  machine.name = name;
  machine.lan_ip = lan_ip;
  for (const auto& [receptacle, interface] : ports) {
    Port port;
    port.receptacle = receptacle;
    port.interface = interface;
    machine.ports.push_back(std::move(port));
  }
  return machine;
}

std::string inet_line(const Address& address) {
  using namespace tbdiscovery;
  const auto ip = parse_ipv4(address.ip).value_or(Ipv4{});
  const std::uint32_t mask = address.prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - address.prefix);
  return fmt::format("\tinet {} netmask 0x{:08x} broadcast {}\n", address.ip, mask,
                     to_string(Ipv4{ip.value | ~mask}));
}

std::string link_name(std::size_t index) { return fmt::format("link#{}", index + 11); }

}  // namespace

std::string mac_address(std::size_t machine, std::size_t port) {
  return fmt::format("36:00:00:00:{:02x}:{:02x}", machine, port * 4);
}

Machine studio(const std::string& name, const std::string& lan_ip) {
  return machine_with(name, lan_ip,
                      {{"1", "en2"}, {"2", "en3"}, {"3", "en4"}, {"4", "en5"}, {"5", "en6"}, {"6", "en7"}});
}

Machine macbook(const std::string& name, const std::string& lan_ip) {
  Machine machine = machine_with(name, lan_ip, {{"1", "en1"}, {"2", "en6"}, {"3", "en2"}});
  machine.model = "Mac17,6";
  machine.product = "MacBook Pro";
  return machine;
}

Machine mini_m4(const std::string& name, const std::string& lan_ip) {
  Machine machine = machine_with(name, lan_ip, {{"1", "en2"}, {"2", "en3"}, {"4", "en4"}});
  machine.model = "Mac16,10";
  machine.product = "Mac mini";
  machine.generation = 4;
  return machine;
}

std::string hardware_ports(const Cluster& cluster, std::size_t machine) {
  const Machine& self = cluster.machines[machine];
  std::string out;
  const auto add = [&](const std::string& name, const std::string& device, const std::string& mac) {
    out += fmt::format("\nHardware Port: {}\nDevice: {}\nEthernet Address: {}\n", name, device, mac);
  };
  add("Ethernet", "en0", "1c:1d:d3:d9:ab:44");
  add("Thunderbolt Ethernet Slot 1", "en20", "64:4b:f0:60:6b:96");
  if (self.bridge) add("Thunderbolt Bridge", "bridge0", mac_address(machine, 0));
  for (std::size_t i = 0; i < self.ports.size(); ++i) {
    const Port& port = self.ports[i];
    if (port.listed) add("Thunderbolt " + port.receptacle, port.interface, mac_address(machine, i));
  }
  return out + "\nVLAN Configurations\n===================\n";
}

std::string service_order(const Cluster& cluster, std::size_t machine) {
  const Machine& self = cluster.machines[machine];
  std::string out = "An asterisk (*) denotes that a network service is disabled.\n";
  int number = 0;
  const auto add = [&](const std::string& name, const std::string& port, const std::string& device) {
    out += fmt::format("({}) {}\n(Hardware Port: {}, Device: {})\n\n", ++number, name, port, device);
  };
  add("Ethernet", "Ethernet", "en0");
  if (self.bridge) add("Thunderbolt Bridge", "Thunderbolt Bridge", "bridge0");
  for (const auto& port : self.ports) {
    if (!self.bridge && port.listed) {
      add("Thunderbolt " + port.receptacle, "Thunderbolt " + port.receptacle, port.interface);
    }
  }
  for (const auto& service : self.services) {
    const auto first = service.find('|');
    const auto second = service.find('|', first + 1);
    add(service.substr(0, first), service.substr(first + 1, second - first - 1), service.substr(second + 1));
  }
  return out;
}

std::string ibv_devices(const Cluster& cluster, std::size_t machine) {
  const Machine& self = cluster.machines[machine];
  std::string out = "    device          \t   node GUID\n    ------          \t----------------\n";
  if (!has_devices(self)) return out;
  for (std::size_t i = 0; i < self.ports.size(); ++i) {
    out +=
        fmt::format("    {:<16}\t{:02x}{:010x}ac05\n", "rdma_" + self.ports[i].interface, 0x80 + i, machine);
  }
  return out;
}

std::string ibv_devinfo(const Cluster& cluster, std::size_t machine) {
  const Machine& self = cluster.machines[machine];
  if (!has_devices(self)) return "No IB devices found\n";
  std::string out;
  for (std::size_t i = 0; i < self.ports.size(); ++i) {
    const Port& port = self.ports[i];
    const bool active =
        is_cabled(cluster, machine, i) && peers_have_rdma(cluster, machine, i) && !port.port_down;
    out += fmt::format(
        "hca_id:\trdma_{}\n\ttransport:\t\t\tThunderbolt (100)\n\tnode_guid:\t\t\t{:02x}00:0000:0000:ac05\n"
        "\tphys_port_cnt:\t\t\t1\n\t\tport:\t1\n\t\t\tstate:\t\t\t{}\n\t\t\tmax_mtu:\t\t4096 (5)\n"
        "\t\t\tlink_layer:\t\tThunderbolt\n\t\t\tactive_width:\t\t8X (4)\n\t\t\tactive_speed:\t\t10.0 Gbps "
        "(4)\n",
        port.interface, 0x80 + i, active ? "PORT_ACTIVE (4)" : "PORT_DOWN (1)");
    // A member of a bridge has no address of its own, hence no GID unless it was given one.
    if (!port.in_bridge)
      out += fmt::format("\t\t\tGID[  0]:\t\tfe80::3400:ff:fe00:{:x}{:02x}\n", machine, i * 4);
    int index = 1;
    for (const auto& address : port.addresses) {
      out += fmt::format("\t\t\tGID[{:3}]:\t\t::ffff:{}\n", index++, address.ip);
    }
    out += "\n";
  }
  return out;
}

std::string ifconfig(const Cluster& cluster, std::size_t machine) {
  const Machine& self = cluster.machines[machine];
  std::string out = fmt::format(
      "en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n\tether 1c:1d:d3:d9:ab:44\n{}"
      "\tmedia: autoselect\n\tstatus: active\n",
      inet_line({self.lan_ip, 24}));
  std::string members;
  for (std::size_t i = 0; i < self.ports.size(); ++i) {
    const Port& port = self.ports[i];
    out += fmt::format("{}: flags={} mtu 1500\n\toptions=460<TSO4,TSO6,CHANNEL_IO>\n\tether {}\n",
                       port.interface,
                       port.in_bridge ? "8963<UP,BROADCAST,SMART,RUNNING,PROMISC,SIMPLEX,MULTICAST>"
                                      : "8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST>",
                       mac_address(machine, i));
    for (const auto& address : port.addresses) out += inet_line(address);
    out += fmt::format("\tnd6 options=201<PERFORMNUD,DAD>\n\tmedia: autoselect <full-duplex>\n\tstatus: {}\n",
                       is_cabled(cluster, machine, i) ? "active" : "inactive");
    if (port.in_bridge) {
      members += fmt::format(
          "\tmember: {} flags=3<LEARNING,DISCOVER>\n\t        ifmaxaddr 0 port {} priority 0 path cost 0\n",
          port.interface, i + 11);
    }
  }
  if (self.bridge) {
    out += "bridge0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n\tConfiguration:\n" +
           members + "\tmedia: autoselect\n\tstatus: active\n";
  }
  return out + self.interfaces;
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
    out += fmt::format("{:<18} {:<18} {:<12} {:>12}       \n", row.to, row.gateway, row.flags, row.interface);
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
      rows.push_back(
          {short_network(network_of(ip, address.prefix)), link_name(i), "UCS", self.ports[i].interface});
    }
  }
  std::string out = routing_table(rows);
  for (const auto& line : self.routes) out += line + "\n";
  return out;
}

tbdiscovery::NodeProbes probes(const Cluster& cluster, std::size_t machine) {
  const Machine& self = cluster.machines[machine];
  tbdiscovery::NodeProbes all;
  all.node = self.name;
  const auto put = [&](const char* file, std::string bytes) { all.files[file].bytes = std::move(bytes); };
  put("os.txt", "Darwin 25.2.0\n");
  put("system_profiler.json", system_profiler_json(cluster, machine));
  put("hardware_ports.txt", hardware_ports(cluster, machine));
  put("service_order.txt", service_order(cluster, machine));
  put("ibv_devices.txt", ibv_devices(cluster, machine));
  put("ibv_devinfo.txt", ibv_devinfo(cluster, machine));
  put("rdma_ctl.txt", self.rdma ? "enabled\n" : "disabled\n");
  put("ifconfig.txt", ifconfig(cluster, machine));
  put("routes.txt", routes(cluster, machine));
  put("sysctl.txt", fmt::format("hw.model: {}\nhw.memsize: 549755813888\nhw.ncpu: 32\n", self.model));
  put("sw_vers.txt",
      fmt::format("ProductName:\t\tmacOS\nProductVersion:\t\t{}\nBuildVersion:\t\t25C56\n", self.macos));
  put("pmset.txt", fmt::format("Currently in use:\n standby              0\n sleep                {}\n",
                               self.sleep_minutes));
  put("sudo.txt", self.sudo ? "0\n" : "1\n");
  put("lan_ip.txt", fmt::format("{}\n{}\n", self.ssh_ip.empty() ? self.lan_ip : self.ssh_ip, self.lan_ip));
  return all;
}

tbdiscovery::RawProbes probes(const Cluster& cluster) {
  tbdiscovery::RawProbes all;
  for (std::size_t i = 0; i < cluster.machines.size(); ++i) all.push_back(probes(cluster, i));
  return all;
}

}  // namespace jackal::simmac
