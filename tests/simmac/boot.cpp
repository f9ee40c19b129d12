// How a node becomes a Mac, and how it restarts.
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "jackal/base/text.hpp"
#include "simmac/launchd.hpp"
#include "simmac/networksetup.hpp"
#include "simmac/node_state.hpp"

namespace jackal::simmac {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIp = "/usr/bin/ip";

/// Whether the command shall be found; a machine may lack any.
bool is_there(const Mac& mac, const std::string& command) {
  const auto& behaviours = mac.description.commands[mac.self];
  const auto found = behaviours.find(command);
  return found == behaviours.end() || !found->second.missing;
}

void install(const Mac& mac) {
  const auto self = fs::read_symlink("/proc/self/exe");
  fs::create_directories(kBin);
  fs::create_directories("/Library/LaunchDaemons");
  fs::create_directories("/Library/Preferences/SystemConfiguration");
  for (const auto& [name, command] : commands()) {
    if (is_there(mac, name)) fs::create_symlink(self, fs::path(kBin) / name);
  }
  for (const char* name : {"ifconfig", "route", "ping"}) {
    if (is_there(mac, name)) fs::create_symlink(self, fs::path("/sbin") / name);
  }
  if (!is_there(mac, "sudo")) return;
  // The only set-uid file: on the node's own file system, which ends with the node.
  const auto sudo = fs::path(kBin) / "sudo";
  fs::copy_file(self, sudo);
  ::chmod(sudo.c_str(), 04755);
}

/// What lies under the names of ports and bridges when the machine starts.
std::vector<std::string> network_lines(const Mac& mac) {
  const Machine& self = mac.machine();
  std::vector<std::string> lines;
  if (self.bridge) {
    // On a real Mac a loop between bridges is a storm; the spanning tree keeps the storm out of the tests.
    lines.push_back("link add name bridge0 type bridge stp_state 1 forward_delay 200");
    lines.push_back("link set dev bridge0 up");
  }
  for (std::size_t i = 0; i < self.ports.size(); ++i) {
    const Port& port = self.ports[i];
    lines.push_back(fmt::format("link set dev {} up", port.interface));
    lines.push_back(
        fmt::format("addr replace {}/64 dev {} nodad", privacy_address(mac.self, i), port.interface));
    if (self.bridge && port.in_bridge)
      lines.push_back(fmt::format("link set dev {} master bridge0", port.interface));
  }
  return lines;
}

std::vector<std::string> first_network_lines(const Mac& mac) {
  std::vector<std::string> lines;
  const auto& ports = mac.machine().ports;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    lines.push_back(fmt::format("link set dev {} address {}", ports[i].interface, mac_address(mac.self, i)));
  }
  const auto state = read_node_state();
  const auto lan = state.interfaces.find("en0");
  if (lan == state.interfaces.end() || lan->second.addresses.empty()) return lines;
  // A default route, as every office has one; nothing forwards there.
  const auto ip = tbdiscovery::parse_ipv4(lan->second.addresses.front().ip)->value;
  lines.push_back(fmt::format("route add default via {} dev en0",
                              to_string(tbdiscovery::Ipv4{(ip & 0xFFFFFF00U) | 254})));
  return lines;
}

/// Addresses, routes and bridges that somebody set since the start.
std::vector<std::string> forgetting_lines(const Mac& mac) {
  const auto state = read_node_state();
  std::vector<std::string> lines;
  for (const auto& [name, interface] : state.interfaces) {
    if (name.compare(0, 6, "bridge") == 0) lines.push_back("link del dev " + name);
  }
  for (const auto& port : mac.machine().ports) {
    // Down: the kernel takes the routes of an interface with it.
    lines.push_back("addr flush dev " + port.interface);
    lines.push_back("link set dev " + port.interface + " down");
  }
  return lines;
}

/// Ends everything but pid 1, the sshd that listens, and ourselves with those who called us.
void end_processes() {
  std::vector<pid_t> kept = {1};
  for (pid_t pid = ::getpid(); pid > 1;) {
    kept.push_back(pid);
    std::FILE* file = std::fopen(fmt::format("/proc/{}/stat", pid).c_str(), "r");
    if (file == nullptr) break;
    int parent = 0;
    if (std::fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1) parent = 0;
    std::fclose(file);
    pid = parent;
  }
  if (std::FILE* file = std::fopen("/run/cluster/sshd.pid", "r")) {
    int pid = 0;
    if (std::fscanf(file, "%d", &pid) == 1) kept.push_back(pid);
    std::fclose(file);
  }
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto pid = parse_integer<int>(entry.path().filename().string());
    if (pid && std::find(kept.begin(), kept.end(), *pid) == kept.end()) ::kill(*pid, SIGKILL);
  }
}

}  // namespace

int run_ip(const std::vector<std::string>& lines) {
  if (lines.empty()) return 0;
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  const int input = ::memfd_create("ip", MFD_CLOEXEC);
  if (input < 0 || ::write(input, text.data(), text.size()) != static_cast<ssize_t>(text.size())) return 1;
  ::lseek(input, 0, SEEK_SET);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, 0);
  char ip[] = "ip", batch[] = "-batch", dash[] = "-", path[] = "PATH=/usr/bin:/bin:/usr/sbin";
  char* const argv[] = {ip, batch, dash, nullptr};
  char* const environment[] = {path, nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, kIp, &files, nullptr, argv, environment);
  posix_spawn_file_actions_destroy(&files);
  ::close(input);
  int status = 1;
  if (error != 0 || ::waitpid(pid, &status, 0) != pid) return 1;
  return status == 0 ? 0 : 1;
}

int boot(const Mac& mac) {
  if (!fs::exists(kBin)) {
    install(mac);
    // As in BSD, an interface answers for its own addresses and for no other's.
    std::ofstream("/proc/sys/net/ipv4/conf/all/arp_ignore") << "1";
    if (run_ip(first_network_lines(mac)) != 0) return 1;
  }
  const int code = run_ip(network_lines(mac)) | run_ip(configured_lines(mac));
  start_launchd();
  return code;
}

int restart(const Mac& mac) {
  if (::geteuid() != 0) {
    std::fprintf(stderr, "simmac: restart must be run as root\n");
    return 1;
  }
  end_processes();
  if (run_ip(forgetting_lines(mac)) != 0) return 1;
  return boot(mac);
}

}  // namespace jackal::simmac
