// The short ones: sysctl, sw_vers or os-release, pmset, sudo, the LAN addresses.
#include "jackal/base/text.hpp"
#include "lines.hpp"
#include "parsers.hpp"

namespace jackal::tbdiscovery {
namespace {

std::string unquoted(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  return std::string(value);
}

std::optional<std::uint64_t> memory_in(std::string_view value) {
  const auto words = words_of(value);
  if (words.empty()) return std::nullopt;
  const auto number = parse_integer<std::uint64_t>(words[0]);
  const bool kilo = words.size() > 1 && lower(words[1]) == "kb";
  if (!number || (kilo && *number > UINT64_MAX / 1024)) return std::nullopt;
  return kilo ? *number * 1024 : *number;
}

}  // namespace

void parse_sysctl(std::string_view bytes, NodeReport& report) {
  for (const auto line : lines_of(bytes)) {
    const auto [key, value] = key_value(line);
    const auto name = lower(key);
    if (name == "hw.model" || name == "product name" || name == "product_name")
      report.model = std::string(value);
    if (name == "hw.memsize" || name == "memtotal") report.memory_bytes = memory_in(value);
    if (name == "hw.ncpu" || name == "nproc") report.cores = parse_integer<int>(value);
  }
  if (report.model.empty() && !report.memory_bytes && !report.cores) {
    report.findings.push_back({"sysctl.txt", "names neither model, memory nor cores"});
  }
}

void parse_sw_vers(std::string_view bytes, NodeReport& report) {
  for (const auto line : lines_of(bytes)) {
    const auto [key, value] = key_value(line);
    if (key == "ProductName") report.os_name = std::string(value);
    if (key == "ProductVersion") report.os_version = std::string(value);
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    if (line.substr(0, equals) == "NAME") report.os_name = unquoted(trim(line.substr(equals + 1)));
    if (line.substr(0, equals) == "VERSION_ID") report.os_version = unquoted(trim(line.substr(equals + 1)));
  }
  if (report.os_name.empty() && report.os_version.empty()) {
    report.findings.push_back({"sw_vers.txt", "names no version"});
  }
}

void parse_lan_ip(std::string_view bytes, NodeReport& report) {
  const auto lines = lines_of(bytes);
  const auto reached = lines.empty() ? std::vector<std::string_view>() : words_of(lines[0]);
  if (!reached.empty()) {
    report.ssh_address = parse_ipv4(reached[0]);
    // "fe80::1%en2": an address of a link is nothing without its interface, which ifconfig says too.
    if (reached[0].find(':') != std::string_view::npos)
      report.ssh_ipv6 = lower(reached[0].substr(0, reached[0].find('%')));
  }
  if (reached.size() > 1) report.ssh_port = parse_integer<std::uint16_t>(reached[1]);
  if (lines.size() > 1) report.default_source = parse_ipv4(trim(lines[1]));
}

std::optional<int> parse_pmset(std::string_view bytes, Findings& findings) {
  std::optional<int> minutes;
  for (const auto line : lines_of(bytes)) {
    const auto words = words_of(line);
    if (words.size() < 2) continue;
    if (words[0] == "SleepDisabled" && words[1] == "1") return 0;
    if (words[0] == "sleep") minutes = parse_integer<int>(words[1]);
  }
  if (!minutes) findings.push_back({"pmset.txt", "names no sleep setting"});
  return minutes;
}

std::optional<bool> parse_sudo(std::string_view bytes, Findings& findings) {
  const auto code = parse_integer<int>(trim(bytes));
  if (!code) {
    findings.push_back({"sudo.txt", "is not an exit code"});
    return std::nullopt;
  }
  return *code == 0;
}

}  // namespace jackal::tbdiscovery
