// networksetup -listallhardwareports and -listnetworkserviceorder.
#include "lines.hpp"
#include "parsers.hpp"

namespace jackal::tbdiscovery {
namespace {

constexpr std::string_view kPort = "Hardware Port:";
constexpr std::string_view kDevice = "Device:";

std::string after(std::string_view line, std::string_view label) {
  return std::string(trim(trim(line).substr(label.size())));
}

bool starts(std::string_view line, std::string_view label) {
  return trim(line).substr(0, label.size()) == label;
}

/// "(Hardware Port: Thunderbolt 1, Device: en2)" into the service; false for any other line.
bool read_ports(std::string_view line, NetworkService& service) {
  line = trim(line);
  constexpr std::string_view kOpen = "(Hardware Port:";
  if (line.substr(0, kOpen.size()) != kOpen || line.back() != ')') return false;
  const auto device = line.rfind(", Device:");
  if (device == std::string_view::npos) return false;
  service.hardware_port = std::string(trim(line.substr(kOpen.size(), device - kOpen.size())));
  const auto start = device + std::string_view(", Device:").size();
  service.device = std::string(trim(line.substr(start, line.size() - start - 1)));
  return true;
}

}  // namespace

std::vector<HardwarePort> parse_hardware_ports(std::string_view bytes, Findings& findings) {
  std::vector<HardwarePort> ports;
  for (const auto line : lines_of(bytes)) {
    if (starts(line, kPort)) {
      // Some tools fold a port into one line: "Hardware Port: Wi-Fi     Device: en1".
      const auto device = line.find(" Device:");
      HardwarePort port{after(line.substr(0, device), kPort), "", ""};
      if (device != std::string_view::npos) port.device = after(line.substr(device), kDevice);
      ports.push_back(std::move(port));
    } else if (starts(line, kDevice) && !ports.empty() && ports.back().device.empty()) {
      ports.back().device = after(line, kDevice);
    } else if (starts(line, "Ethernet Address:") && !ports.empty()) {
      ports.back().mac = after(line, "Ethernet Address:");
    } else if (starts(line, "VLAN Configurations")) {
      break;
    }
  }
  if (ports.empty()) findings.push_back({"hardware_ports.txt", "names no hardware port"});
  return ports;
}

std::vector<NetworkService> parse_service_order(std::string_view bytes, Findings& findings) {
  std::vector<NetworkService> services;
  std::string_view title;
  for (const auto line : lines_of(bytes)) {
    const auto text = trim(line);
    NetworkService service;
    if (!title.empty() && !text.empty() && read_ports(text, service)) {
      const auto close = title.find(')');
      service.name = std::string(trim(title.substr(close + 1)));
      service.enabled = title.substr(0, close).find('*') == std::string_view::npos;
      services.push_back(std::move(service));
      title = {};
    } else if (!text.empty() && text.front() == '(' && text.find(')') != std::string_view::npos) {
      title = text;
    }
  }
  if (services.empty()) findings.push_back({"service_order.txt", "names no network service"});
  return services;
}

}  // namespace jackal::tbdiscovery
