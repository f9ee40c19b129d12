// The commands of a simulated Mac. Each takes its words after the name, prints, and returns its exit code.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "simmac/description.hpp"

namespace jackal::simmac {

using Words = std::vector<std::string>;

/// Who is asked: the machine `self` of the description.
struct Mac {
  const Description& description;
  std::size_t self;

  const Machine& machine() const { return description.cluster.machines[self]; }
};

using Command = int (*)(const Mac& mac, const Words& words);

/// Every command but sudo, by name.
const std::map<std::string, Command>& commands();

/// Where a node keeps what makes it a Mac.
inline constexpr const char* kHome = "/private/simmac";
inline constexpr const char* kDescriptionFile = "/private/simmac/cluster.json";
inline constexpr const char* kBin = "/private/simmac/bin";

// What only tells.
int uname(const Mac& mac, const Words& words);
int system_profiler(const Mac& mac, const Words& words);
int ibv_devices(const Mac& mac, const Words& words);
int ibv_devinfo(const Mac& mac, const Words& words);
int rdma_ctl(const Mac& mac, const Words& words);
int sysctl(const Mac& mac, const Words& words);
int sw_vers(const Mac& mac, const Words& words);
int pmset(const Mac& mac, const Words& words);
int netstat(const Mac& mac, const Words& words);
int ipconfig(const Mac& mac, const Words& words);
// What tells and changes.
int ifconfig(const Mac& mac, const Words& words);
int route(const Mac& mac, const Words& words);
int networksetup(const Mac& mac, const Words& words);
int launchctl(const Mac& mac, const Words& words);
// Linux' own under another grammar.
int ping(const Mac& mac, const Words& words);
int nc(const Mac& mac, const Words& words);

/// Runs a command in our place, as root if the machine's sudo asks for no password. We must be set-uid root.
int sudo(const Mac& mac, const Words& words);

/// What a start of the machine does: interfaces, bridge, launchd's jobs.
int boot(const Mac& mac);
/// Ends every process of the node's users, forgets what a restart forgets, and boots.
int restart(const Mac& mac);

/// `ip -batch` with these lines; 0 when all of them worked.
int run_ip(const std::vector<std::string>& lines);

}  // namespace jackal::simmac
