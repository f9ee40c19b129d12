// Pings, RDMA devices, TCP through nc: the commands and what they print.
#include "jackal/tbdiscovery/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "jackal/tbdiscovery/report.hpp"
#include "lines.hpp"

namespace jackal::tbdiscovery {
namespace {

constexpr const char* kPings = "5";
constexpr std::uint64_t kTransferMib = 256;

bool is_linux(const ClusterMap& map, const End& end) { return map.node(end).report.system == System::linux_; }

struct Side {
  End end, far;
  Ipv4 own, peer;
};

Side side_of(const ClusterMap& map, const PlannedCable& planned, bool a) {
  const Cable& cable = map.cables[planned.cable];
  if (a) return {cable.a, cable.b, planned.ip_a, planned.ip_b};
  return {cable.b, cable.a, planned.ip_b, planned.ip_a};
}

std::string ping_name(std::size_t index, bool a) { return fmt::format("ping-{}-{}", index, a ? "a" : "b"); }
std::string tcp_name(std::size_t index, bool a) { return fmt::format("tcp-{}-{}", index, a ? "a" : "b"); }

/// Bound to the interface, so that no other cable and no LAN can answer for this one.
std::vector<std::string> ping_argv(const ClusterMap& map, const Side& side) {
  const auto& interface = map.port(side.end).interface;
  const auto peer = to_string(side.peer);
  if (is_linux(map, side.end))
    return {"ping", "-n", "-c", kPings, "-i", "0.2", "-w", "4", "-I", interface, peer};
  return {"ping", "-n", "-c", kPings, "-i", "0.2", "-t", "4", "-b", interface, "-S", to_string(side.own),
          peer};
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data() || value < 0) return std::nullopt;
  return value;
}

/// "5 packets transmitted, 5 packets received, …" and "round-trip min/avg/max/stddev = 0.1/0.2/…".
PingResult read_ping(const std::map<std::string, ProbeOutput>& files, const std::string& name) {
  PingResult result;
  const auto file = files.find(name);
  if (file == files.end()) return result;
  result.measured = true;
  for (const auto line : lines_of(file->second.bytes)) {
    const auto words = words_of(line);
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i + 1].substr(0, 11) == "transmitted" && i > 0)
        result.sent = static_cast<int>(number_in(words[i - 1]).value_or(0));
      if (words[i + 1].substr(0, 8) != "received") continue;
      const auto number = number_in(words[i]);
      result.received = static_cast<int>(number ? *number : number_in(words[i == 0 ? 0 : i - 1]).value_or(0));
    }
    const auto equals = line.find(" = ");
    if (line.find("min/avg/max") == std::string_view::npos || equals == std::string_view::npos) continue;
    const auto figures = line.substr(equals + 3);
    const auto slash = figures.find('/');
    if (slash != std::string_view::npos) result.round_trip_ms = number_in(figures.substr(slash + 1));
  }
  if (result.received == 0) {
    for (const auto line : lines_of(file->second.standard_error)) {
      if (!trim(line).empty()) result.said = trim(line);
    }
  }
  return result;
}

/// What a device still lacks for RDMA over this end; empty when nothing.
std::string rdma_missing(const NodeReport& now, const Port& port, Ipv4 address) {
  const auto* device = find_rdma_device(now, port.rdma_device);
  if (device == nullptr) return port.rdma_device + " is not there";
  if (device->state == PortState::unknown || !device->gids_known)
    return "ibv_devinfo does not describe " + port.rdma_device;
  if (device->state != PortState::active) return port.rdma_device + " is not active";
  const bool has = std::any_of(device->gids.begin(), device->gids.end(),
                               [&](const Gid& gid) { return mapped_ipv4(gid) == address; });
  return has ? "" : fmt::format("{} has no GID of {}", port.rdma_device, to_string(address));
}

/// A node's own report of its RDMA devices, from what it was asked just now.
NodeReport rdma_report(const ClusterMap& map, std::size_t node, const NodeOutputs& outputs) {
  NodeProbes probes;
  probes.node = map.nodes[node].name();
  if (const auto found = outputs.find(node); found != outputs.end()) {
    for (const char* name : {"ibv_devices.txt", "ibv_devinfo.txt", "infiniband.txt"}) {
      const auto file = found->second.find(name);
      if (file != found->second.end()) probes.files.insert(*file);
    }
  }
  probes.files["os.txt"].bytes = map.nodes[node].report.kernel + "\n";
  return parse(probes);
}

// nc says nothing of time, so dd's figure is taken at the sending end. A receiver that is not there yet
// refuses, and dd is asked again. What Debian's nc needs to pass the end of its input on is an option that
// means something else to others.
constexpr const char* kSend = R"sh(command -v nc >/dev/null || exit 99
last=; nc -h 2>&1 | grep -q 'Shutdown the network' && last=-N
send() { dd if=/dev/zero bs=1048576 count="$4" 2>"$JACKAL_PLACE.dd.$3" | nc $last -s "$1" "$2" "$3"; }
tries=0
while [ "$tries" -lt 30 ]; do
  send "$@" >/dev/null 2>&1 & child=$!
  waited=0
  while kill -0 "$child" 2>/dev/null && [ "$waited" -lt 100 ]; do sleep 0.1; waited=$((waited + 1)); done
  [ "$waited" -lt 100 ] || { kill "$child"; exit 98; }
  wait "$child" && { cat "$JACKAL_PLACE.dd.$3"; exit 0; }
  tries=$((tries + 1)); sleep 0.1
done
exit 97)sh";

constexpr const char* kReceive = R"sh(command -v nc >/dev/null || exit 99
nc -d -l "$1" "$2" >/dev/null & child=$!
waited=0
while kill -0 "$child" 2>/dev/null && [ "$waited" -lt 150 ]; do sleep 0.1; waited=$((waited + 1)); done
kill "$child" 2>/dev/null
wait "$child")sh";

/// "268435456 bytes transferred in 0.123 secs (…)", "268435456 bytes (…) copied, 0.123 s, 2.2 GB/s".
std::optional<double> dd_gbps(std::string_view text) {
  for (const auto line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() < 2 || words[1] != "bytes") continue;
    const auto bytes = number_in(words[0]);
    for (std::size_t i = 2; bytes && i + 1 < words.size(); ++i) {
      if (words[i] != "in" && words[i] != "copied,") continue;
      const auto seconds = number_in(words[i + 1]);
      if (seconds && *seconds > 0) return *bytes * 8 / *seconds / 1e9;
    }
  }
  return std::nullopt;
}

std::string port_text(const ClusterMap& map, const End& end) {
  return fmt::format("{} ({})", describe(map, end), map.port(end).interface);
}

/// An answer has gone both ways, so one end is enough.
void check_proved(const ClusterMap& map, const CableVerification& result,
                  std::vector<std::string>& failures) {
  if (result.from_a.measured || result.from_b.measured) return;
  failures.push_back(fmt::format("the cable {} is not proved: ping could be run at neither end",
                                 describe(map, map.cables[result.cable])));
}

void check_ping(const ClusterMap& map, const Side& side, const PingResult& ping,
                std::vector<std::string>& failures) {
  if (!ping.measured) return;
  const auto way = fmt::format("{} → {}", port_text(map, side.end), port_text(map, side.far));
  if (ping.received == 0) {
    failures.push_back(
        fmt::format("{}: nothing comes back from {} ({}). Look whether the cable is in these two ports and "
                    "whether {} still "
                    "has its address.",
                    way, to_string(side.peer), ping.said.empty() ? "no answer to ping" : ping.said,
                    map.port(side.far).interface));
  } else if (ping.received + 1 < ping.sent) {
    // The first one may be lost while the two learn each other's hardware addresses.
    failures.push_back(fmt::format("{}: {} of {} pings were lost. Change the cable.", way,
                                   ping.sent - ping.received, ping.sent));
  }
}

std::string ping_text(const PingResult& ping) {
  if (!ping.measured) return "not measured";
  if (ping.received == 0) return "no answer";
  const auto loss = ping.received < ping.sent
                        ? fmt::format(", {} of {} lost", ping.sent - ping.received, ping.sent)
                        : std::string();
  return (ping.round_trip_ms ? fmt::format("{:.3f} ms", *ping.round_trip_ms) : "answers") + loss;
}

const char* reach_text(Reach reach) {
  switch (reach) {
    case Reach::connected:
      return "by TCP";
    case Reach::refused:
      return "by TCP (refused: nobody listens there)";
    case Reach::pinged:
      return "by ping only";
    case Reach::nothing:
      return "not reached";
    case Reach::unknown:
      break;
  }
  return "not asked";
}

std::string address_line(const ClusterMap& map, const ReachedAddress& reached) {
  std::map<Reach, std::vector<std::string>> by;
  for (const auto& [node, reach] : reached.from) by[reach].push_back(map.nodes[node].name());
  std::string text = fmt::format("{} at {}:", map.nodes[reached.node].name(),
                                 reached.address ? to_string(*reached.address) : "no address that all reach");
  for (const auto& [reach, names] : by)
    text += fmt::format(" {} from {};", reach_text(reach), fmt::join(names, ", "));
  text.back() = '\n';
  return text;
}

}  // namespace

NodeCommands link_commands(const ClusterMap& map, const Plan& plan) {
  NodeCommands commands;
  std::set<std::size_t> rdma;
  for (std::size_t i = 0; i < plan.cables.size(); ++i) {
    for (const bool a : {true, false}) {
      const auto side = side_of(map, plan.cables[i], a);
      commands[side.end.node].push_back({ping_name(i, a), ping_argv(map, side)});
      if (plan.cables[i].rdma) rdma.insert(side.end.node);
    }
  }
  for (const auto node : rdma) {
    auto& list = commands[node];
    list.push_back({"ibv_devices.txt", {"ibv_devices"}});
    list.push_back({"ibv_devinfo.txt", {"ibv_devinfo", "-v"}});
    if (map.nodes[node].report.system == System::linux_)
      list.push_back({"infiniband.txt", {"sh", "-c", "grep -rs . /sys/class/infiniband/*/"}});
    list.push_back(find_bench_command());
  }
  return commands;
}

Verification read_links(const ClusterMap& map, const Plan& plan, const NodeOutputs& outputs) {
  Verification verification;
  const auto files_of = [&](std::size_t node) {
    const auto found = outputs.find(node);
    return found == outputs.end() ? std::map<std::string, ProbeOutput>() : found->second;
  };
  std::map<std::size_t, NodeReport> reports;
  for (std::size_t i = 0; i < plan.cables.size(); ++i) {
    CableVerification result;
    result.cable = plan.cables[i].cable;
    for (const bool a : {true, false}) {
      const auto side = side_of(map, plan.cables[i], a);
      const auto node = side.end.node;
      (a ? result.from_a : result.from_b) = read_ping(files_of(node), ping_name(i, a));
      if (!plan.cables[i].rdma) continue;
      if (reports.count(node) == 0) reports[node] = rdma_report(map, node, outputs);
      (a ? result.rdma_missing_a : result.rdma_missing_b) =
          rdma_missing(reports[node], map.port(side.end), side.own);
    }
    verification.cables.push_back(std::move(result));
  }
  return verification;
}

bool rdma_pending(const Verification& verification) {
  return std::any_of(verification.cables.begin(), verification.cables.end(), [](const auto& cable) {
    return !cable.rdma_missing_a.empty() || !cable.rdma_missing_b.empty();
  });
}

std::vector<std::vector<std::size_t>> bandwidth_rounds(const ClusterMap& map, const Plan& plan) {
  std::vector<std::vector<std::size_t>> rounds;
  std::vector<std::set<std::size_t>> busy;
  for (std::size_t i = 0; i < plan.cables.size(); ++i) {
    const Cable& cable = map.cables[plan.cables[i].cable];
    std::size_t round = 0;
    while (round < rounds.size() &&
           (busy[round].count(cable.a.node) != 0 || busy[round].count(cable.b.node) != 0))
      ++round;
    if (round == rounds.size()) {
      rounds.emplace_back();
      busy.emplace_back();
    }
    rounds[round].push_back(i);
    busy[round].insert({cable.a.node, cable.b.node});
  }
  return rounds;
}

NodeCommands bandwidth_commands(const ClusterMap& map, const Plan& plan,
                                const std::vector<std::size_t>& round, std::uint16_t port) {
  NodeCommands commands;
  for (const auto i : round) {
    const auto from = side_of(map, plan.cables[i], true);
    const auto own = to_string(from.own);
    const auto peer = to_string(from.peer);
    const auto number = std::to_string(port);
    commands[from.end.node].push_back(
        {tcp_name(i, true), {"sh", "-c", kSend, "sh", own, peer, number, std::to_string(kTransferMib)}});
    commands[from.far.node].push_back({tcp_name(i, false), {"sh", "-c", kReceive, "sh", peer, number}});
  }
  return commands;
}

void read_bandwidth(const ClusterMap& map, const Plan& plan, const std::vector<std::size_t>& round,
                    const NodeOutputs& outputs, Verification& verification) {
  for (const auto i : round) {
    auto& result = verification.cables[i];
    const auto from = side_of(map, plan.cables[i], true);
    const auto code_of = [&](std::size_t node, bool a) -> std::optional<int> {
      const auto found = outputs.find(node);
      if (found == outputs.end()) return std::nullopt;
      const auto file = found->second.find(tcp_name(i, a));
      return file == found->second.end() ? std::optional(0) : file->second.exit;
    };
    const auto sent = code_of(from.end.node, true);
    const auto& sender = map.node(from.end).name();
    const auto& receiver = map.node(from.far).name();
    if (sent == 99 || code_of(from.far.node, false) == 99) {
      result.tcp_how = fmt::format("not measured: no nc on {}", sent == 99 ? sender : receiver);
    } else if (sent == 98) {
      result.tcp_how = fmt::format("not measured: {} MiB took more than 10 s", kTransferMib);
    } else if (sent != 0) {
      result.tcp_how = fmt::format("not measured: nc on {} got no connection to nc on {}", sender, receiver);
    } else {
      const auto& file = outputs.at(from.end.node);
      const auto output = file.find(tcp_name(i, true));
      result.tcp_gbps = output == file.end() ? std::nullopt : dd_gbps(output->second.bytes);
      result.tcp_how = result.tcp_gbps ? fmt::format("{} MiB of dd through nc, {} to {}, timed by dd",
                                                     kTransferMib, sender, receiver)
                                       : "not measured: dd did not say how long it took";
    }
  }
}

void find_failures(const ClusterMap& map, const Plan& plan, Verification& verification) {
  auto& failures = verification.failures;
  for (std::size_t i = 0; i < verification.cables.size(); ++i) {
    const auto& result = verification.cables[i];
    check_proved(map, result, failures);
    for (const bool a : {true, false}) {
      const auto side = side_of(map, plan.cables[i], a);
      check_ping(map, side, a ? result.from_a : result.from_b, failures);
      const auto& missing = a ? result.rdma_missing_a : result.rdma_missing_b;
      if (missing.empty()) continue;
      failures.push_back(
          fmt::format("{}: {}. Look at \"ibv_devinfo -v -d {}\" on {}, and whether RDMA is enabled "
                      "on {} too.",
                      port_text(map, side.end), missing, map.port(side.end).rdma_device,
                      map.node(side.end).name(), map.node(side.far).name()));
    }
  }
  for (const auto& result : verification.cables) {
    if (result.rdma_carried.value_or(true)) continue;
    failures.push_back(fmt::format(
        "the cable {} carries no RDMA message: {}. Take the cable out and put it in again; if that "
        "does not help, restart both machines, as what a killed job left on a device stays until "
        "then.",
        describe(map, map.cables[result.cable]), result.rdma_how));
  }
  for (const auto& reached : verification.addresses) {
    if (reached.address) continue;
    std::vector<std::string> names;
    for (const auto& [node, reach] : reached.from) {
      if (reach == Reach::nothing) names.push_back(map.nodes[node].name());
    }
    failures.push_back(fmt::format(
        "{} has no address outside the cables that all others reach ({} reached none of them all). Put the "
        "machines on one network, and look at the firewall of {}.",
        map.nodes[reached.node].name(), fmt::join(names, ", "), map.nodes[reached.node].name()));
  }
}

std::vector<CableMeasurement> measurements(const std::optional<Verification>& verification) {
  std::vector<CableMeasurement> all;
  if (!verification) return all;
  for (const auto& proof : verification->cables) {
    CableMeasurement one{proof.cable, std::nullopt, std::nullopt};
    const auto& ping = proof.from_a.round_trip_ms ? proof.from_a : proof.from_b;
    if (ping.round_trip_ms)
      one.round_trip_ms = Figure{*ping.round_trip_ms, fmt::format("ping, mean of {}", ping.received)};
    if (proof.tcp_gbps) one.tcp_gbps = Figure{*proof.tcp_gbps, proof.tcp_how};
    all.push_back(std::move(one));
  }
  return all;
}

std::string draw_verification(const ClusterMap& map, const Plan& plan, const Verification& verification) {
  std::string text;
  for (std::size_t i = 0; i < verification.cables.size(); ++i) {
    const auto& result = verification.cables[i];
    text += describe(map, map.cables[result.cable]) + "\n";
    text += fmt::format("    ping, mean of {}, out of the port: {} there, {} back\n", kPings,
                        ping_text(result.from_a), ping_text(result.from_b));
    if (plan.cables[i].rdma) {
      const bool ready = result.rdma_missing_a.empty() && result.rdma_missing_b.empty();
      const bool both = !result.rdma_missing_a.empty() && !result.rdma_missing_b.empty();
      text += ready ? "    RDMA: active, GIDs present, at both ends\n"
                    : fmt::format("    RDMA: {}{}{}\n", result.rdma_missing_a, both ? "; " : "",
                                  result.rdma_missing_b);
      if (!result.rdma_how.empty())
        text += fmt::format("    RDMA message: {}{}\n", result.rdma_carried == true ? "came through, " : "",
                            result.rdma_how);
    }
    if (result.tcp_gbps) {
      text += fmt::format("    TCP: {:.1f} Gb/s ({})\n", *result.tcp_gbps, result.tcp_how);
    } else if (!result.tcp_how.empty()) {
      text += fmt::format("    TCP: {}\n", result.tcp_how);
    }
  }
  for (const auto& reached : verification.addresses) text += address_line(map, reached);
  for (const auto& failure : verification.failures) text += "FAILED " + failure + "\n";
  return text;
}

}  // namespace jackal::tbdiscovery
