// What one node said about itself, typed. Pure: parse(NodeProbes) reads every command's text by its keys,
// never by position. What a command did not say is empty or nullopt; what could not be read becomes a
// Finding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/tbdiscovery/ipv4.hpp"
#include "jackal/tbdiscovery/probes.hpp"

namespace jackal::tbdiscovery {

enum class System { unknown, macos, linux_ };

/// Something that a probe's text should not have been.
struct Finding {
  std::string file;
  std::string text;

  bool operator==(const Finding&) const = default;
};

/// What hangs on a Thunderbolt port: another computer, or a drive, dock, hub or display.
struct Device {
  std::string name;   // "Mac Studio", "TS5 Plus"
  std::string model;  // of a computer: its model identifier, "Mac15,14"
  std::string vendor;
  std::string mode;         // of a device: how it is linked, as printed
  std::string domain_uuid;  // of a computer: of its own port; upper case
  bool computer = false;
  bool services_known = false;  // whether its list of services was seen
  bool offers_rdma = false;     // publishes XDomain protocol 64087: RDMA is enabled over there
  double gbps = 0;              // of its link upstream; 0: not said
  std::string receptacle;       // the node's own, where its bus has several and says which; else empty
  std::vector<Device> behind;   // what hangs on its own ports

  bool operator==(const Device&) const = default;
};

/// One socket of the machine.
struct Receptacle {
  std::string id;  // the number beside it, "3"; empty where it was not said
  bool connected = false;
  std::string speed;    // as printed, "Up to 120 Gb/s"
  double gbps = 0;      // 0: not said
  bool linked = false;  // gbps is a link's speed, not the most that the port could do

  bool operator==(const Receptacle&) const = default;
};

/// One Thunderbolt domain: on current Macs exactly one receptacle, elsewhere several may share it.
struct Bus {
  std::string name;         // "thunderboltusb4_bus_2"
  std::string machine;      // "Mac Studio"
  std::string domain_uuid;  // upper case; empty where it was not said
  std::string uid;
  std::vector<Receptacle> receptacles;
  std::vector<Device> devices;

  bool operator==(const Bus&) const = default;
};

struct HardwarePort {
  std::string name;    // "Thunderbolt 3"
  std::string device;  // "en4"
  std::string mac;

  bool operator==(const HardwarePort&) const = default;
};

struct NetworkService {
  std::string name;
  std::string hardware_port;
  std::string device;  // may be empty
  bool enabled = true;

  bool operator==(const NetworkService&) const = default;
};

struct InterfaceAddress {
  Ipv4 address;
  int prefix = 32;

  bool operator==(const InterfaceAddress&) const = default;
};

struct Interface {
  std::string name;
  std::string mac;
  int mtu = 0;
  bool up = false;
  std::optional<bool> active;  // has a link
  std::vector<InterfaceAddress> addresses;
  std::vector<std::string> ipv6;     // without scope and prefix
  std::vector<std::string> members;  // of a bridge

  bool operator==(const Interface&) const = default;
};

enum class PortState { unknown, down, active, other };

struct Gid {
  int index = 0;
  std::string text;  // as printed

  bool operator==(const Gid&) const = default;
};

struct RdmaDevice {
  std::string name;       // "rdma_en5"
  std::string guid;       // as printed
  std::string interface;  // where the system says it (Linux); macOS names the device after it
  PortState state = PortState::unknown;
  bool gids_known = false;
  std::vector<Gid> gids;

  bool operator==(const RdmaDevice&) const = default;
};

struct Route {
  bool is_default = false;
  Network to;  // meaningless for a default route
  std::optional<Ipv4> gateway;
  std::string interface;

  bool operator==(const Route&) const = default;
};

struct NodeReport {
  std::string node;
  std::optional<Error> failure;  // nothing was probed
  System system = System::unknown;
  std::string kernel;      // "Darwin 25.2.0"
  std::string os_name;     // "macOS"
  std::string os_version;  // "26.2"
  std::string model;       // "Mac15,14"
  std::optional<std::uint64_t> memory_bytes;
  std::optional<int> cores;
  std::optional<std::vector<Bus>> buses;
  std::optional<std::vector<HardwarePort>> hardware_ports;
  std::optional<std::vector<NetworkService>> services;
  std::optional<std::vector<RdmaDevice>> rdma_devices;
  std::optional<bool> rdma_enabled;  // rdma_ctl
  std::optional<std::vector<Interface>> interfaces;
  std::optional<std::vector<Route>> routes;
  std::optional<int> sleep_minutes;       // 0: never
  std::optional<bool> sudo;               // works without a password
  std::optional<Ipv4> ssh_address;        // where the SSH connection arrived
  std::string ssh_ipv6;                   // the same where it is an IPv6 address, without its scope
  std::optional<std::uint16_t> ssh_port;  // of its sshd
  std::optional<Ipv4> default_source;     // source address of the default route
  std::vector<Finding> findings;
};

NodeReport parse(const NodeProbes& probes);
std::vector<NodeReport> parse(const RawProbes& probes);

const Interface* find_interface(const NodeReport& report, std::string_view name);
const RdmaDevice* find_rdma_device(const NodeReport& report, std::string_view name);
/// The bridge that `interface` is a member of; empty for none.
std::string bridge_of(const NodeReport& report, std::string_view interface);
/// The interface at which our own connection arrived; nullptr where that is not known.
const Interface* management_interface(const NodeReport& report);
/// The address of an IPv4-mapped GID ("::ffff:10.0.0.1", "0000:…:ffff:0a00:0001"); nullopt for any other.
std::optional<Ipv4> mapped_ipv4(const Gid& gid);

}  // namespace jackal::tbdiscovery
