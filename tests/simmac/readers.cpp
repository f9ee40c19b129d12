// Commands that only tell.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "simmac/commands.hpp"
#include "simmac/node_state.hpp"

namespace jackal::simmac {
namespace {

int print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

int complain(const std::string& text, int code) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  return code;
}

bool has(const Words& words, const std::string& word) {
  for (const auto& one : words) {
    if (one == word) return true;
  }
  return false;
}

Cluster now(const Mac& mac) { return as_it_is(mac.description.cluster, mac.self, read_node_state()); }

/// macOS 26.2 is Darwin 25.2.0.
std::string darwin_version(const Machine& machine) {
  const auto dot = machine.macos.find('.');
  const int major = std::atoi(machine.macos.c_str());
  const std::string minor = dot == std::string::npos ? "0" : machine.macos.substr(dot + 1);
  return fmt::format("{}.{}.0", major - 1, minor);
}

}  // namespace

int uname(const Mac& mac, const Words& words) {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  const std::string letters = words.empty() ? "-s" : words.front();
  std::string out;
  const auto add = [&](const char* which, const std::string& text) {
    if (letters.find_first_of(which) == std::string::npos) return;
    out += (out.empty() ? "" : " ") + text;
  };
  add("sa", "Darwin");
  add("na", host);
  add("ra", darwin_version(mac.machine()));
  add("va", fmt::format("Darwin Kernel Version {}: root:xnu/RELEASE_ARM64", darwin_version(mac.machine())));
  add("ma", "arm64");
  return print(out + "\n");
}

int system_profiler(const Mac& mac, const Words& words) {
  if (!has(words, "SPThunderboltDataType")) return 0;
  return print(has(words, "-json") ? system_profiler_json(now(mac), mac.self)
                                   : system_profiler_text(now(mac), mac.self));
}

int ibv_devices(const Mac& mac, const Words&) {
  return print(ibv_devices(mac.description.cluster, mac.self));
}

int ibv_devinfo(const Mac& mac, const Words& words) {
  return print(ibv_devinfo(now(mac), mac.self, has(words, "-v")));
}

int rdma_ctl(const Mac& mac, const Words& words) {
  if (words != Words{"status"}) return complain("rdma_ctl: only works in macOS Recovery\n", 1);
  return print(mac.machine().rdma ? "enabled\n" : "disabled\n");
}

int sysctl(const Mac& mac, const Words& words) {
  const std::map<std::string, std::string> values = {
      {"hw.model", mac.machine().model}, {"hw.memsize", "549755813888"}, {"hw.ncpu", "32"}};
  int code = 0;
  const bool bare = has(words, "-n");
  for (const auto& word : words) {
    if (word.front() == '-') continue;
    const auto found = values.find(word);
    if (found == values.end())
      code = complain(fmt::format("sysctl: unknown oid '{}'\n", word), 1);
    else
      print(bare ? found->second + "\n" : fmt::format("{}: {}\n", word, found->second));
  }
  return code;
}

int sw_vers(const Mac& mac, const Words& words) {
  const auto& version = mac.machine().macos;
  if (has(words, "-productVersion") || has(words, "--productVersion")) return print(version + "\n");
  return print(
      fmt::format("ProductName:\t\tmacOS\nProductVersion:\t\t{}\nBuildVersion:\t\t25C56\n", version));
}

int pmset(const Mac& mac, const Words&) {
  return print(fmt::format("Currently in use:\n standby              0\n sleep                {}\n",
                           mac.machine().sleep_minutes));
}

int netstat(const Mac& mac, const Words&) {
  std::vector<RouteRow> rows = {{"127", "127.0.0.1", "UCS", "lo0"}};
  for (const auto& route : read_node_state().routes) {
    const bool host = route.to.prefix == 32;
    RouteRow row;
    row.to = host ? to_string(route.to.address) : short_network(route.to);
    row.gateway = route.gateway ? to_string(*route.gateway)
                                : fmt::format("link#{}", interface_index(mac.machine(), route.interface));
    row.flags = fmt::format("U{}{}", route.gateway ? "G" : "", host ? "HS" : route.gateway ? "Sc" : "CS");
    row.interface = route.interface;
    if (route.to.prefix != 0) {
      rows.push_back(std::move(row));
      continue;
    }
    row.to = "default";
    row.flags = route.gateway ? "UGScg" : "UCSg";
    rows.insert(rows.begin(), std::move(row));
  }
  return print(routing_table(rows));
}

int ipconfig(const Mac&, const Words& words) {
  if (words.size() != 2 || words[0] != "getifaddr") {
    return complain("usage: ipconfig <command> <args>\n", 1);
  }
  const auto state = read_node_state();
  const auto found = state.interfaces.find(words[1]);
  if (found == state.interfaces.end() || found->second.addresses.empty()) return 1;
  return print(found->second.addresses.front().ip + "\n");
}

}  // namespace jackal::simmac
