// ibv_devices and ibv_devinfo.
#include <fmt/format.h>

#include "simmac/cluster.hpp"
#include "simmac/ports.hpp"

namespace jackal::simmac {
namespace {

/// 16 hexadecimal digits; the first byte counts the ports, the last four digits are Apple's.
std::string guid(std::size_t machine, std::size_t port) {
  return fmt::format("{:02x}{:010x}ac05", 0x80 + port, machine + 1);
}

std::string grouped(const std::string& digits) {
  return fmt::format("{}:{}:{}:{}", digits.substr(0, 4), digits.substr(4, 4), digits.substr(8, 4),
                     digits.substr(12));
}

/// What an address gives the port, in the order in which macOS fills the table.
std::vector<std::string> gids(const Cluster& cluster, std::size_t machine, std::size_t index) {
  const Port& port = cluster.machines[machine].ports[index];
  std::vector<std::string> all;
  // A member of a bridge has no address of its own, hence no GID unless it was given one.
  if (!port.in_bridge) all.push_back(link_local(machine, index));
  for (const auto& address : port.addresses) all.push_back("::ffff:" + address.ip);
  if (!port.in_bridge && is_cabled(cluster, machine, index)) all.push_back(privacy_address(machine, index));
  return all;
}

}  // namespace

std::string ibv_devices(const Cluster& cluster, std::size_t machine) {
  const Machine& self = cluster.machines[machine];
  std::string out = "    device          \t   node GUID\n    ------          \t----------------\n";
  if (!has_devices(self)) return out;
  for (std::size_t i = 0; i < self.ports.size(); ++i) {
    out += fmt::format("    {:<16}\t{}\n", "rdma_" + self.ports[i].interface, guid(machine, i));
  }
  return out;
}

std::string ibv_devinfo(const Cluster& cluster, std::size_t machine, bool verbose) {
  const Machine& self = cluster.machines[machine];
  if (!has_devices(self)) return "No IB devices found\n";
  std::string out;
  for (std::size_t i = 0; i < self.ports.size(); ++i) {
    const Port& port = self.ports[i];
    const bool active =
        is_cabled(cluster, machine, i) && peers_have_rdma(cluster, machine, i) && !port.port_down;
    out += fmt::format(
        "hca_id:\trdma_{}\n\ttransport:\t\t\tThunderbolt (100)\n\tnode_guid:\t\t\t{}\n"
        "\tsys_image_guid:\t\t\t{}\n\tvendor_id:\t\t\t0x0000\n\tvendor_part_id:\t\t\t0\n"
        "\thw_ver:\t\t\t\t0x0\n\tphys_port_cnt:\t\t\t1\n",
        port.interface, grouped(guid(machine, i)), grouped(guid(machine, 0)));
    if (verbose)
      out += "\tmax_qp:\t\t\t\t11\n\tmax_cq:\t\t\t\t11\n\tmax_mr:\t\t\t\t100\n\tmax_pd:\t\t\t\t11\n";
    out += fmt::format(
        "\t\tport:\t1\n\t\t\tstate:\t\t\t{}\n\t\t\tmax_mtu:\t\t4096 (5)\n\t\t\tactive_mtu:\t\t4096 (5)\n"
        "\t\t\tsm_lid:\t\t\t{}\n\t\t\tport_lid:\t\t{}\n\t\t\tport_lmc:\t\t0x00\n"
        "\t\t\tlink_layer:\t\tThunderbolt\n",
        active ? "PORT_ACTIVE (4)" : "PORT_DOWN (1)", i + 1, i + 1);
    if (verbose) {
      out += "\t\t\tactive_width:\t\t8X (4)\n\t\t\tactive_speed:\t\t10.0 Gbps (4)\n";
      int index = 0;
      for (const auto& gid : gids(cluster, machine, i))
        out += fmt::format("\t\t\tGID[{:3}]:\t\t{}\n", index++, gid);
    }
    out += "\n";
  }
  return out;
}

}  // namespace jackal::simmac
