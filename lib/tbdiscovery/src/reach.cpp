// The addresses outside the cables that the host file gives, chosen so that those who need them reach them:
// each tries to connect to the sshd there, which is known to listen.
#include <algorithm>
#include <array>

#include "jackal/tbdiscovery/verify.hpp"
#include "node_outputs.hpp"

namespace jackal::tbdiscovery {
namespace {

constexpr std::uint16_t kSshPort = 22;

// A refusal has travelled there and back as well. Where neither nc nor bash is, ping has to do.
constexpr const char* kReach = R"sh(within() {
  "$@" >"$JACKAL_PLACE.reach.$address" 2>&1 & child=$!
  waited=0
  while kill -0 "$child" 2>/dev/null && [ "$waited" -lt 40 ]; do sleep 0.1; waited=$((waited + 1)); done
  kill "$child" 2>/dev/null
  wait "$child"
}
address=$1
if command -v nc >/dev/null; then within nc -z -w 3 "$1" "$2"
elif command -v bash >/dev/null; then within bash -c ': <"/dev/tcp/$0/$1"' "$1" "$2"
else false
fi && { echo connected; exit; }
grep -qi refused "$JACKAL_PLACE.reach.$address" 2>/dev/null && { echo refused; exit; }
command -v ping >/dev/null && within ping -c 1 "$1" && { echo pinged; exit; }
echo nothing)sh";

bool gives_lan_address(const Plan& plan) {
  const bool over_cables = plan.topology == Topology::ring && plan.backend == hostfile::Backend::ring;
  return plan.ranks.size() > 1 && !over_cables;
}

/// The ranks whose address others use: a ring over the network uses all, everything else rank 0's.
std::vector<std::size_t> targets(const Plan& plan) {
  if (!gives_lan_address(plan)) return {};
  if (plan.topology == Topology::ethernet) return plan.ranks;
  return {plan.ranks.front()};
}

std::string name_of(std::size_t node, Ipv4 address) {
  return "reach-" + std::to_string(node) + "-" + to_string(address);
}

Reach reach_of(const NodeOutputs& outputs, std::size_t from, std::size_t to, Ipv4 address) {
  constexpr std::array<std::pair<std::string_view, Reach>, 4> kWords = {{{"connected\n", Reach::connected},
                                                                         {"refused\n", Reach::refused},
                                                                         {"pinged\n", Reach::pinged},
                                                                         {"nothing\n", Reach::nothing}}};
  const auto* file = find_output(outputs, from, name_of(to, address));
  if (file == nullptr) return Reach::unknown;
  for (const auto& [word, reach] : kWords) {
    if (file->bytes == word) return reach;
  }
  return Reach::unknown;
}

ReachedAddress reached(const Plan& plan, const NodeOutputs& outputs, std::size_t target, Ipv4 address) {
  ReachedAddress result{target, address, {}};
  for (const auto node : plan.ranks) {
    if (node != target) result.from.emplace_back(node, reach_of(outputs, node, target, address));
  }
  return result;
}

/// How well the node that reaches it worst does.
Reach worst(const ReachedAddress& reached) {
  Reach worst = Reach::connected;
  for (const auto& [node, reach] : reached.from) worst = std::min(worst, reach);
  return worst;
}

}  // namespace

NodeCommands reach_commands(const ClusterMap& map, const Plan& plan) {
  NodeCommands commands;
  for (const auto target : targets(plan)) {
    const auto port = std::to_string(map.nodes[target].report.ssh_port.value_or(kSshPort));
    for (const auto address : coordinator_candidates(map.nodes[target])) {
      for (const auto node : plan.ranks) {
        if (node == target) continue;
        commands[node].push_back(
            {name_of(target, address), {"sh", "-c", kReach, "sh", to_string(address), port}});
      }
    }
  }
  return commands;
}

void choose_addresses(const ClusterMap& map, const NodeOutputs& outputs, Plan& plan,
                      Verification& verification) {
  for (const auto target : targets(plan)) {
    std::optional<ReachedAddress> best;
    for (const auto address : coordinator_candidates(map.nodes[target])) {
      const auto candidate = reached(plan, outputs, target, address);
      // A TCP connection and its refusal prove the same; of equals the likelier one stays.
      const auto rank = [](const ReachedAddress& one) { return std::min(worst(one), Reach::refused); };
      if (!best || rank(candidate) > rank(*best)) best = candidate;
    }
    if (!best) continue;
    if (worst(*best) <= Reach::nothing) best->address.reset();
    const auto place = std::find(plan.ranks.begin(), plan.ranks.end(), target) - plan.ranks.begin();
    if (best->address) plan.hostfile.hosts[static_cast<std::size_t>(place)].ips = {to_string(*best->address)};
    verification.addresses.push_back(std::move(*best));
  }
}

}  // namespace jackal::tbdiscovery
