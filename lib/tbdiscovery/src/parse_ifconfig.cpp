// ifconfig -a and netstat -rn -f inet, as macOS prints them.
#include <algorithm>
#include <charconv>

#include "jackal/base/text.hpp"
#include "lines.hpp"
#include "parsers.hpp"

namespace jackal::tbdiscovery {
namespace {

std::optional<int> prefix_of_hex_mask(std::string_view text) {
  if (text.substr(0, 2) == "0x") text.remove_prefix(2);
  std::uint32_t mask = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mask, 16);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return prefix_of_mask(mask);
}

std::optional<Interface> interface_line(std::string_view line) {
  const auto colon = line.find(": flags=");
  if (colon == std::string_view::npos || colon == 0 || indent_of(line) != 0) return std::nullopt;
  Interface interface;
  interface.name = std::string(line.substr(0, colon));
  const auto open = line.find('<');
  const auto close = line.find('>');
  if (open != std::string_view::npos && close != std::string_view::npos && open < close) {
    const auto flags = "," + std::string(line.substr(open + 1, close - open - 1)) + ",";
    interface.up = flags.find(",UP,") != std::string::npos;
  }
  const auto words = words_of(line);
  const auto mtu = std::find(words.begin(), words.end(), "mtu");
  if (mtu != words.end() && mtu + 1 != words.end()) interface.mtu = parse_integer<int>(mtu[1]).value_or(0);
  return interface;
}

void read_inet(const std::vector<std::string_view>& words, Interface& interface) {
  const auto address = parse_ipv4(words[1]);
  if (!address) return;
  int prefix = 32;
  const auto mask = std::find(words.begin(), words.end(), "netmask");
  if (mask != words.end() && mask + 1 != words.end()) prefix = prefix_of_hex_mask(mask[1]).value_or(32);
  interface.addresses.push_back({*address, prefix});
}

void read_detail(std::string_view line, Interface& interface) {
  const auto words = words_of(line);
  if (words.size() < 2) return;
  if (words[0] == "ether") interface.mac = std::string(words[1]);
  if (words[0] == "inet") read_inet(words, interface);
  if (words[0] == "inet6") interface.ipv6.emplace_back(words[1].substr(0, words[1].find('%')));
  if (words[0] == "member:") interface.members.emplace_back(words[1]);
  if (words[0] == "status:") interface.active = words[1] == "active";
}

/// "default", "10/8", "169.254", "192.0.2.5": BSD leaves out what the class or the dots already say.
std::optional<Network> destination(std::string_view text) {
  const auto slash = text.find('/');
  std::string octets(text.substr(0, slash));
  const auto dots = std::count(octets.begin(), octets.end(), '.');
  if (octets.empty() || dots > 3) return std::nullopt;
  for (auto i = dots; i < 3; ++i) octets += ".0";
  const auto address = parse_ipv4(octets);
  if (!address) return std::nullopt;
  int prefix = static_cast<int>(8 * (dots + 1));
  if (slash != std::string_view::npos) {
    const auto given = parse_integer<int>(text.substr(slash + 1));
    if (!given || *given < 0 || *given > 32) return std::nullopt;
    prefix = *given;
  }
  return network_of(*address, prefix);
}

}  // namespace

std::vector<Interface> parse_ifconfig(std::string_view bytes, Findings& findings) {
  std::vector<Interface> interfaces;
  for (const auto line : lines_of(bytes)) {
    if (auto interface = interface_line(line)) {
      interfaces.push_back(std::move(*interface));
    } else if (!interfaces.empty()) {
      read_detail(line, interfaces.back());
    }
  }
  if (interfaces.empty()) findings.push_back({"ifconfig.txt", "describes no interface"});
  return interfaces;
}

std::vector<Route> parse_netstat(std::string_view bytes, Findings& findings) {
  std::vector<Route> routes;
  for (const auto line : lines_of(bytes)) {
    const auto words = words_of(line);
    if (!words.empty() && words[0] == "Internet6:") break;
    if (words.size() < 4 || words[0] == "Destination") continue;
    Route route;
    route.is_default = words[0] == "default";
    if (!route.is_default) {
      const auto to = destination(words[0]);
      if (!to) continue;
      route.to = *to;
    }
    route.gateway = parse_ipv4(words[1]);
    route.interface = std::string(words[3]);
    routes.push_back(std::move(route));
  }
  if (routes.empty()) findings.push_back({"routes.txt", "holds no route"});
  return routes;
}

}  // namespace jackal::tbdiscovery
