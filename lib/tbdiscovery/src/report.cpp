#include "jackal/tbdiscovery/report.hpp"

#include <algorithm>
#include <charconv>

#include "jackal/base/text.hpp"
#include "lines.hpp"
#include "parsers.hpp"

namespace jackal::tbdiscovery {
namespace {

/// A file's bytes; empty when the command gave nothing.
std::string_view bytes_of(const NodeProbes& probes, const char* file) {
  const auto found = probes.files.find(file);
  if (found == probes.files.end() || trim(found->second.bytes).empty()) return {};
  return found->second.bytes;
}

/// Two outputs pasted by a person come without os.txt; system_profiler exists on macOS alone.
System system_of(const NodeProbes& probes) {
  const auto os = bytes_of(probes, "os.txt");
  if (os.find("Darwin") != std::string_view::npos) return System::macos;
  if (os.find("Linux") != std::string_view::npos) return System::linux_;
  const bool profiler =
      !bytes_of(probes, "system_profiler.json").empty() || !bytes_of(probes, "system_profiler.txt").empty();
  return os.empty() && profiler ? System::macos : System::unknown;
}

/// The text form is there where the JSON form was not, and both may have been pasted under either name.
void parse_profiler(const NodeProbes& probes, NodeReport& report) {
  if (const auto json = bytes_of(probes, "system_profiler.json"); !json.empty()) {
    Findings of_text;
    if (json.find('{') == std::string_view::npos) report.buses = parse_profiler_text(json, of_text);
    if (report.buses)
      report.findings = std::move(of_text);
    else
      report.buses = parse_profiler_json(json, report.findings);
  }
  const auto text = bytes_of(probes, "system_profiler.txt");
  if (!report.buses && !text.empty()) {
    report.buses = trim(text).front() == '{' ? parse_profiler_json(text, report.findings)
                                             : parse_profiler_text(text, report.findings);
  }
}

void parse_rdma(const NodeProbes& probes, NodeReport& report) {
  const auto add = [&](std::vector<RdmaDevice> devices) {
    if (!report.rdma_devices) report.rdma_devices.emplace();
    merge_rdma(*report.rdma_devices, devices);
  };
  if (const auto bytes = bytes_of(probes, "ibv_devices.txt"); !bytes.empty()) {
    add(parse_ibv_devices(bytes, report.findings));
  }
  if (const auto bytes = bytes_of(probes, "ibv_devinfo.txt"); !bytes.empty()) {
    add(parse_ibv_devinfo(bytes, report.findings));
  }
  if (const auto bytes = bytes_of(probes, "infiniband.txt"); !bytes.empty()) {
    add(parse_sysfs_infiniband(bytes, report.findings));
  }
  if (const auto bytes = bytes_of(probes, "rdma_ctl.txt"); !bytes.empty()) {
    report.rdma_enabled = parse_rdma_ctl(bytes, report.findings);
  }
}

void parse_network(const NodeProbes& probes, NodeReport& report) {
  auto& findings = report.findings;
  if (const auto bytes = bytes_of(probes, "hardware_ports.txt"); !bytes.empty()) {
    report.hardware_ports = parse_hardware_ports(bytes, findings);
  }
  if (const auto bytes = bytes_of(probes, "service_order.txt"); !bytes.empty()) {
    report.services = parse_service_order(bytes, findings);
  }
  if (const auto bytes = bytes_of(probes, "ifconfig.txt"); !bytes.empty()) {
    report.interfaces = parse_ifconfig(bytes, findings);
  } else if (const auto json = bytes_of(probes, "ip_addr.json"); !json.empty()) {
    report.interfaces = parse_ip_addr(json, findings);
  }
  if (const auto bytes = bytes_of(probes, "routes.txt"); !bytes.empty()) {
    report.routes = parse_netstat(bytes, findings);
  } else if (const auto json = bytes_of(probes, "ip_route.json"); !json.empty()) {
    report.routes = parse_ip_route(json, findings);
  }
  if (const auto bytes = bytes_of(probes, "thunderbolt.txt"); !bytes.empty()) {
    auto found = parse_sysfs_thunderbolt(bytes, findings);
    report.buses = std::move(found.buses);
    report.hardware_ports = std::move(found.ports);
  }
}

void parse_machine(const NodeProbes& probes, NodeReport& report) {
  report.kernel = std::string(trim(bytes_of(probes, "os.txt")));
  if (const auto bytes = bytes_of(probes, "sysctl.txt"); !bytes.empty()) parse_sysctl(bytes, report);
  if (const auto bytes = bytes_of(probes, "sw_vers.txt"); !bytes.empty()) parse_sw_vers(bytes, report);
  if (const auto bytes = bytes_of(probes, "lan_ip.txt"); !bytes.empty()) parse_lan_ip(bytes, report);
  if (const auto bytes = bytes_of(probes, "pmset.txt"); !bytes.empty()) {
    report.sleep_minutes = parse_pmset(bytes, report.findings);
  }
  if (const auto bytes = bytes_of(probes, "sudo.txt"); !bytes.empty()) {
    report.sudo = parse_sudo(bytes, report.findings);
  }
}

/// The last 32 bits of a GID written in full: "…:ffff:0a00:0001".
std::optional<Ipv4> two_groups(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::uint32_t value = 0;
  for (const auto group : {text.substr(0, colon), text.substr(colon + 1)}) {
    std::uint16_t part = 0;
    const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), part, 16);
    if (error != std::errc{} || end != group.data() + group.size()) return std::nullopt;
    value = value << 16 | part;
  }
  return Ipv4{value};
}

}  // namespace

NodeReport parse(const NodeProbes& probes) {
  NodeReport report;
  report.node = probes.node;
  report.failure = probes.failure;
  report.system = system_of(probes);
  parse_profiler(probes, report);
  parse_network(probes, report);
  parse_rdma(probes, report);
  parse_machine(probes, report);
  return report;
}

std::vector<NodeReport> parse(const RawProbes& probes) {
  std::vector<NodeReport> reports;
  reports.reserve(probes.size());
  for (const auto& node : probes) reports.push_back(parse(node));
  return reports;
}

const Interface* find_interface(const NodeReport& report, std::string_view name) {
  if (!report.interfaces) return nullptr;
  for (const auto& interface : *report.interfaces) {
    if (interface.name == name) return &interface;
  }
  return nullptr;
}

const RdmaDevice* find_rdma_device(const NodeReport& report, std::string_view name) {
  if (!report.rdma_devices) return nullptr;
  for (const auto& device : *report.rdma_devices) {
    if (device.name == name) return &device;
  }
  return nullptr;
}

std::string bridge_of(const NodeReport& report, std::string_view name) {
  if (!report.interfaces) return {};
  for (const auto& interface : *report.interfaces) {
    const auto& members = interface.members;
    if (std::find(members.begin(), members.end(), name) != members.end()) return interface.name;
  }
  return {};
}

const Interface* management_interface(const NodeReport& report) {
  if (!report.interfaces) return nullptr;
  for (const auto& interface : *report.interfaces) {
    for (const auto& own : interface.addresses) {
      if (own.address == report.ssh_address) return &interface;
    }
    for (const auto& own : interface.ipv6) {
      if (!own.empty() && lower(own) == report.ssh_ipv6) return &interface;
    }
  }
  return nullptr;
}

std::optional<Ipv4> mapped_ipv4(const Gid& gid) {
  const auto text = lower(gid.text);
  for (const std::string_view prefix : {"::ffff:", "0000:0000:0000:0000:0000:ffff:"}) {
    if (text.substr(0, prefix.size()) != prefix) continue;
    const auto rest = text.substr(prefix.size());
    const auto dotted = parse_ipv4(rest);
    return dotted ? dotted : two_groups(rest);
  }
  return std::nullopt;
}

}  // namespace jackal::tbdiscovery
