// Machines, what their cables make of their ports, and all that one of them prints.
#include <fmt/format.h>

#include <algorithm>

#include "simmac/cluster.hpp"
#include "simmac/ports.hpp"

namespace jackal::simmac {
namespace {

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

}  // namespace

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

// Thunderbolt ports carry locally administered addresses, four apart.
std::string mac_address(std::size_t machine, std::size_t port) {
  return fmt::format("36:00:00:00:{:02x}:{:02x}", machine, port * 4);
}

std::string link_local(std::size_t machine, std::size_t port) {
  return fmt::format("fe80::3400:ff:fe00:{:x}", machine << 8 | port * 4);
}

std::string privacy_address(std::size_t machine, std::size_t port) {
  return fmt::format("fe80::1021:1bac:{:x}:{:x}", 0xfe1 + machine, 0xb5e3 + port);
}

std::size_t interface_index(const Machine& machine, const std::string& interface) {
  constexpr std::size_t kFirstPort = 11;
  const auto& ports = machine.ports;
  const auto found =
      std::find_if(ports.begin(), ports.end(), [&](const Port& port) { return port.interface == interface; });
  if (found != ports.end()) return kFirstPort + static_cast<std::size_t>(found - ports.begin());
  return interface == "lo0" ? 1 : interface == "en0" ? 10 : kFirstPort + ports.size();
}

bool is_cabled(const Cluster& cluster, std::size_t machine, std::size_t port) {
  const auto here = [&](const Plug& plug) { return plug.machine == machine && plug.port == port; };
  return std::any_of(cluster.cables.begin(), cluster.cables.end(),
                     [&](const Cable& cable) { return here(cable.a) || here(cable.b); }) ||
         std::any_of(cluster.strangers.begin(), cluster.strangers.end(), here);
}

bool peers_have_rdma(const Cluster& cluster, std::size_t machine, std::size_t port) {
  for (const auto& cable : cluster.cables) {
    const bool a = cable.a.machine == machine && cable.a.port == port;
    const bool b = cable.b.machine == machine && cable.b.port == port;
    if (a || b) return has_devices(cluster.machines[(a ? cable.b : cable.a).machine]);
  }
  return is_cabled(cluster, machine, port);
}

tbdiscovery::NodeProbes probes(const Cluster& cluster, std::size_t machine) {
  const Machine& self = cluster.machines[machine];
  tbdiscovery::NodeProbes all;
  all.node = self.name;
  const auto put = [&](const char* file, std::string bytes) { all.files[file].bytes = std::move(bytes); };
  put("os.txt", "Darwin 25.2.0\n");
  put("system_profiler.json", system_profiler_json(cluster, machine));
  put("hardware_ports.txt", hardware_ports(cluster, machine));
  put("service_order.txt", service_order(services(cluster, machine)));
  put("ibv_devices.txt", ibv_devices(cluster, machine));
  put("ibv_devinfo.txt", ibv_devinfo(cluster, machine, true));
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
