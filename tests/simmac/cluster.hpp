// A made-up cluster of Macs and what each of its commands prints, in the formats of the captures below
// tests/fixtures. Data and pure functions: random cablings are rendered from here, and the simulated Mac
// answers from here.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "jackal/tbdiscovery/ipv4.hpp"
#include "jackal/tbdiscovery/probes.hpp"

namespace jackal::simmac {

struct Address {
  std::string ip;
  int prefix = 30;
};

struct Port {
  std::string receptacle;  // "3"
  std::string interface;   // "en4"
  bool in_bridge = false;
  bool port_down = false;  // RDMA port state, beside what the cable says
  bool listed = true;      // in the table of hardware ports
  bool up = true;          // ifconfig down
  int mtu = 1500;
  std::string drive;  // a Thunderbolt 3 drive
  std::string dock;   // a Thunderbolt 5 dock without a Mac behind it
  std::vector<Address> addresses;
};

struct Machine {
  std::string name;                    // what the person calls it
  std::string model = "Mac15,14";      // model identifier
  std::string product = "Mac Studio";  // marketing name
  int generation = 5;                  // of Thunderbolt
  std::vector<Port> ports;
  std::string macos = "26.2";
  bool rdma = true;  // switched on in Recovery
  bool sudo = true;
  bool bridge = false;  // bridge0 exists
  int sleep_minutes = 0;
  std::string lan_ip;                 // on en0
  std::string ssh_ip;                 // where the SSH connection arrives; empty: lan_ip
  std::vector<std::string> services;  // further network services: "NAME|HARDWARE PORT|DEVICE"
  std::vector<std::string> routes;    // further lines of netstat -rn
  bool bridge_up = true;
  std::vector<Address> bridge_addresses;
};

struct Plug {
  std::size_t machine = 0;
  std::size_t port = 0;  // in Machine::ports
};

struct Cable {
  Plug a;
  Plug b;
  int gbps = 80;
  std::vector<std::string> hubs;  // seen from a; b sees a directly, as on real machines
};

struct Cluster {
  std::vector<Machine> machines;
  std::vector<Cable> cables;
  std::vector<Plug> strangers;  // ports with a Mac that is not in the cluster
};

/// A Mac Studio with M3 Ultra: six Thunderbolt 5 ports, en2 … en7.
Machine studio(const std::string& name, const std::string& lan_ip);
/// A MacBook Pro with M5 Max: three Thunderbolt 5 ports, en1, en6, en2.
Machine macbook(const std::string& name, const std::string& lan_ip);
/// A Mac mini with M4: Thunderbolt 4 ports named 1, 2 and 4.
Machine mini_m4(const std::string& name, const std::string& lan_ip);

std::string domain_uuid(std::size_t machine, std::size_t port);

std::string system_profiler_json(const Cluster& cluster, std::size_t machine);
std::string system_profiler_text(const Cluster& cluster, std::size_t machine);
std::string hardware_ports(const Cluster& cluster, std::size_t machine);
/// A network service of macOS: how one hardware port is configured.
struct Service {
  std::string name;
  std::string port;
  std::string device;
  bool enabled = true;
};

std::vector<Service> services(const Cluster& cluster, std::size_t machine);
std::string service_order(const std::vector<Service>& services);
std::string ibv_devices(const Cluster& cluster, std::size_t machine);
std::string ibv_devinfo(const Cluster& cluster, std::size_t machine, bool verbose);
std::string ifconfig(const Cluster& cluster, std::size_t machine);
std::string routes(const Cluster& cluster, std::size_t machine);

/// One line of `netstat -rn`.
struct RouteRow {
  std::string to;
  std::string gateway;
  std::string flags;
  std::string interface;
};

std::string short_network(const tbdiscovery::Network& network);
std::string routing_table(const std::vector<RouteRow>& rows);

/// Of a Thunderbolt port, and of the port beside the cables.
std::string mac_address(std::size_t machine, std::size_t port);
inline constexpr const char* kLanMac = "1c:1d:d3:d9:ab:44";
/// The IPv6 address that macOS makes up for a port.
std::string privacy_address(std::size_t machine, std::size_t port);
/// As in "link#12" and "scopeid 0xc".
std::size_t interface_index(const Machine& machine, const std::string& interface);

/// All files of one machine, and of all of them.
tbdiscovery::NodeProbes probes(const Cluster& cluster, std::size_t machine);
tbdiscovery::RawProbes probes(const Cluster& cluster);

}  // namespace jackal::simmac
