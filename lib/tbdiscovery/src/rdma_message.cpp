// One message each way between the RDMA devices at the ends of a cable, by jackal-bench, where both machines
// have it: what ibv_devinfo says of a device does not show that anything comes through.
#include <fmt/format.h>

#include "jackal/tbdiscovery/verify.hpp"
#include "lines.hpp"
#include "node_outputs.hpp"

namespace jackal::tbdiscovery {
namespace {

constexpr const char* kFindName = "jackal-bench.txt";

// A shell that is no login shell lacks Homebrew's folder on a Mac.
constexpr const char* kFind = R"sh(PATH=$PATH:/opt/homebrew/bin:/usr/local/bin; command -v jackal-bench)sh";

// Two ranks that JACCL's variables start; no fall-back to TCP, which would carry the message as well.
constexpr const char* kSend = R"sh(PATH=$PATH:/opt/homebrew/bin:/usr/local/bin
JACCL_RANK=$1 JACCL_COORDINATOR=$2 JACCL_IBV_DEVICES=$3 JACKAL_TRANSPORT=verbs JACKAL_TIMEOUT=10
export PATH JACCL_RANK JACCL_COORDINATOR JACCL_IBV_DEVICES JACKAL_TRANSPORT JACKAL_TIMEOUT
jackal-bench sendrecv --sizes 64 --iters 1 --warmup 0 & child=$!
waited=0
while kill -0 "$child" 2>/dev/null && [ "$waited" -lt 150 ]; do sleep 0.1; waited=$((waited + 1)); done
kill "$child" 2>/dev/null
wait "$child")sh";

std::string message_name(std::size_t index, bool a) {
  return fmt::format("message-{}-{}", index, a ? "a" : "b");
}

bool has_bench(const NodeOutputs& outputs, std::size_t node) {
  const auto* found = find_output(outputs, node, kFindName);
  return found != nullptr && found->exit.value_or(0) == 0;
}

std::string last_line(std::string_view text) {
  std::string last;
  for (const auto line : lines_of(text)) {
    if (!trim(line).empty()) last = trim(line);
  }
  return last;
}

}  // namespace

NamedCommand find_bench_command() { return {kFindName, {"sh", "-c", kFind}}; }

std::vector<std::size_t> messages_to_send(const ClusterMap& map, const Plan& plan, const NodeOutputs& outputs,
                                          Verification& verification) {
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < verification.cables.size(); ++i) {
    auto& result = verification.cables[i];
    if (!plan.cables[i].rdma || !result.rdma_missing_a.empty() || !result.rdma_missing_b.empty()) continue;
    const Cable& cable = map.cables[result.cable];
    const auto without = !has_bench(outputs, cable.a.node)   ? std::optional(cable.a.node)
                         : !has_bench(outputs, cable.b.node) ? std::optional(cable.b.node)
                                                             : std::nullopt;
    if (without)
      result.rdma_how = fmt::format("not tried: no jackal-bench on {}", map.nodes[*without].name());
    else
      ready.push_back(i);
  }
  return ready;
}

NodeCommands message_commands(const ClusterMap& map, const Plan& plan, const std::vector<std::size_t>& cables,
                              std::uint16_t port) {
  NodeCommands commands;
  for (const auto i : cables) {
    const Cable& cable = map.cables[plan.cables[i].cable];
    const auto devices = fmt::format(R"([[null,"{}"],["{}",null]])", map.port(cable.a).rdma_device,
                                     map.port(cable.b).rdma_device);
    // Each cable has addresses of its own, so one port serves all.
    const auto coordinator = fmt::format("{}:{}", to_string(plan.cables[i].ip_a), port);
    for (const bool a : {true, false}) {
      commands[(a ? cable.a : cable.b).node].push_back(
          {message_name(i, a), {"sh", "-c", kSend, "sh", a ? "0" : "1", coordinator, devices}});
    }
  }
  return commands;
}

void read_messages(const ClusterMap& map, const Plan& plan, const std::vector<std::size_t>& cables,
                   const NodeOutputs& outputs, Verification& verification) {
  for (const auto i : cables) {
    auto& result = verification.cables[i];
    const Cable& cable = map.cables[plan.cables[i].cable];
    if (outputs.count(cable.a.node) == 0 || outputs.count(cable.b.node) == 0) {
      result.rdma_how = "not tried: a machine did not answer";
      continue;
    }
    result.rdma_carried = true;
    std::string words;
    for (const bool a : {true, false}) {
      const std::size_t node = (a ? cable.a : cable.b).node;
      const auto* said = find_output(outputs, node, message_name(i, a));
      if (said == nullptr || said->exit.value_or(0) == 0) continue;
      result.rdma_carried = false;
      // Each rank hears from the other one why it failed, so the first that has words is enough.
      if (words.empty()) words = last_line(said->standard_error);
    }
    if (*result.rdma_carried)
      result.rdma_how = "64 bytes each way by jackal-bench sendrecv";
    else
      result.rdma_how = words.empty() ? "jackal-bench did not come to its end within 15 s" : words;
  }
}

}  // namespace jackal::tbdiscovery
