// What is proved of a plan on the machines themselves: that each cable carries data between the right ports,
// in both directions, that its RDMA devices are ready and a message comes through, how fast it is, and that
// every node reaches the addresses of the host file. Pure: which commands each node is asked to run, and what
// their output means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/tbdiscovery/map.hpp"
#include "jackal/tbdiscovery/measurement.hpp"
#include "jackal/tbdiscovery/plan.hpp"
#include "jackal/tbdiscovery/probes.hpp"

namespace jackal::tbdiscovery {

/// A command and the name under which its output comes back.
struct NamedCommand {
  std::string file;  // [A-Za-z0-9._-]+
  std::vector<std::string> argv;

  bool operator==(const NamedCommand&) const = default;
};

using NodeCommands = std::map<std::size_t, std::vector<NamedCommand>>;          // node of the map → …
using NodeOutputs = std::map<std::size_t, std::map<std::string, ProbeOutput>>;  // absent: it could not be run

/// One script for a remote::Shell that runs them all at once.
std::string commands_script(const std::vector<NamedCommand>& commands);
/// What it printed; an error when the text is not what such a script prints. A command that is not installed
/// has no entry, and neither has one that ended with 0 and printed nothing.
Result<std::map<std::string, ProbeOutput>> read_frames(std::string_view text);

/// From one end of a cable to the other, out of the right interface.
struct PingResult {
  bool measured = false;  // false: no ping there
  int sent = 0;
  int received = 0;
  std::optional<double> round_trip_ms;  // mean
  std::string said;                     // where nothing came back

  bool operator==(const PingResult&) const = default;
};

struct CableVerification {
  std::size_t cable = 0;  // in ClusterMap::cables
  PingResult from_a;
  PingResult from_b;
  std::string rdma_missing_a;  // what RDMA waits for there; empty: ready, or not planned
  std::string rdma_missing_b;
  std::optional<bool> rdma_carried;  // a message, each way; nullopt: not tried
  std::string rdma_how;              // how, why not, or why it was not tried
  std::optional<double> tcp_gbps;
  std::string tcp_how;  // how it was got, or why it was not
};

enum class Reach { unknown, nothing, pinged, refused, connected };

/// The address that the host file gives for a node, and how the others reach it.
struct ReachedAddress {
  std::size_t node = 0;
  std::optional<Ipv4> address;  // nullopt: none that all reach
  std::vector<std::pair<std::size_t, Reach>> from;
};

struct Verification {
  std::vector<CableVerification> cables;  // one for each of the plan's
  std::vector<ReachedAddress> addresses;
  std::vector<std::string> failures;  // in words; empty: the cluster works
};

/// Pings in both directions and the state of RDMA devices.
NodeCommands link_commands(const ClusterMap& map, const Plan& plan);
Verification read_links(const ClusterMap& map, const Plan& plan, const NodeOutputs& outputs);
/// Whether asking again may help: some RDMA device is not ready yet.
bool rdma_pending(const Verification& verification);

/// Whether a machine has what sends messages; among link_commands() where RDMA is planned.
NamedCommand find_bench_command();
/// The cables, as indices into Plan::cables, whose RDMA devices are ready at both ends and whose machines can
/// send a message; of the others, `verification` says why not. `outputs`: of link_commands().
std::vector<std::size_t> messages_to_send(const ClusterMap& map, const Plan& plan, const NodeOutputs& outputs,
                                          Verification& verification);
/// One message each way over each of them, all at once. `port`: where its first end listens.
NodeCommands message_commands(const ClusterMap& map, const Plan& plan, const std::vector<std::size_t>& cables,
                              std::uint16_t port);
void read_messages(const ClusterMap& map, const Plan& plan, const std::vector<std::size_t>& cables,
                   const NodeOutputs& outputs, Verification& verification);

/// Cables whose bandwidth may be measured at the same time: no two at the same node. Indices into
/// Plan::cables.
std::vector<std::vector<std::size_t>> bandwidth_rounds(const ClusterMap& map, const Plan& plan);
NodeCommands bandwidth_commands(const ClusterMap& map, const Plan& plan,
                                const std::vector<std::size_t>& round, std::uint16_t port);
void read_bandwidth(const ClusterMap& map, const Plan& plan, const std::vector<std::size_t>& round,
                    const NodeOutputs& outputs, Verification& verification);

/// Every node that must reach another one's address connects to all that could be meant.
NodeCommands reach_commands(const ClusterMap& map, const Plan& plan);
/// Puts addresses that work into the plan's host file.
void choose_addresses(const ClusterMap& map, const NodeOutputs& outputs, Plan& plan,
                      Verification& verification);

/// What does not work, in words that name cable, ports and what to look at.
void find_failures(const ClusterMap& map, const Plan& plan, Verification& verification);

/// The figures of a verification, each with how it was got.
std::vector<CableMeasurement> measurements(const std::optional<Verification>& verification);

/// For people.
std::string draw_verification(const ClusterMap& map, const Plan& plan, const Verification& verification);

}  // namespace jackal::tbdiscovery
