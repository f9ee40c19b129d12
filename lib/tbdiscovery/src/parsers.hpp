// One reader a command. Each takes the bytes as printed and gives what they say; what it cannot read goes to
// `findings` under `file`. None of them throws, whatever the bytes are.
#pragma once

#include <string_view>
#include <vector>

#include "jackal/tbdiscovery/report.hpp"

namespace jackal::tbdiscovery {

/// XDomain protocol id of Apple's RDMA service: a Mac publishes it once RDMA is enabled there.
inline constexpr int kRdmaProtocol = 64087;
/// Far beyond the seven hops that Thunderbolt allows; keeps hostile nesting off the stack.
inline constexpr int kDeepestTree = 32;

using Findings = std::vector<Finding>;

std::optional<std::vector<Bus>> parse_profiler_json(std::string_view bytes, Findings& findings);
std::optional<std::vector<Bus>> parse_profiler_text(std::string_view bytes, Findings& findings);
std::vector<HardwarePort> parse_hardware_ports(std::string_view bytes, Findings& findings);
std::vector<NetworkService> parse_service_order(std::string_view bytes, Findings& findings);
std::vector<RdmaDevice> parse_ibv_devices(std::string_view bytes, Findings& findings);
std::vector<RdmaDevice> parse_ibv_devinfo(std::string_view bytes, Findings& findings);
std::optional<bool> parse_rdma_ctl(std::string_view bytes, Findings& findings);
std::vector<Interface> parse_ifconfig(std::string_view bytes, Findings& findings);
std::vector<Route> parse_netstat(std::string_view bytes, Findings& findings);
std::optional<std::vector<Interface>> parse_ip_addr(std::string_view bytes, Findings& findings);
std::optional<std::vector<Route>> parse_ip_route(std::string_view bytes, Findings& findings);
void parse_sysctl(std::string_view bytes, NodeReport& report);
void parse_sw_vers(std::string_view bytes, NodeReport& report);
void parse_lan_ip(std::string_view bytes, NodeReport& report);
std::optional<int> parse_pmset(std::string_view bytes, Findings& findings);
std::optional<bool> parse_sudo(std::string_view bytes, Findings& findings);

/// thunderbolt.txt: the buses, and which receptacle ("0-1") has which network interface.
struct LinuxThunderbolt {
  std::vector<Bus> buses;
  std::vector<HardwarePort> ports;  // name: receptacle id
};
LinuxThunderbolt parse_sysfs_thunderbolt(std::string_view bytes, Findings& findings);
std::vector<RdmaDevice> parse_sysfs_infiniband(std::string_view bytes, Findings& findings);

/// Adds what `more` knows about the devices of `devices`, and the devices that it alone knows.
void merge_rdma(std::vector<RdmaDevice>& devices, const std::vector<RdmaDevice>& more);

}  // namespace jackal::tbdiscovery
