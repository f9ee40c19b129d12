#include "distributed-config/set_up.hpp"

#include <fmt/format.h>

#include <chrono>

#include "jackal/base/random.hpp"

namespace jackal::distributed_config {
namespace {

using namespace tbdiscovery;
using remote::Clock;

// A GID appears with its address, within a second or so; what a restart of the port needs is longer.
constexpr std::chrono::seconds kGidDeadline{20};
constexpr std::chrono::seconds kLookAgain{1};

/// From 20000 to 31999, as for every port that we choose.
std::uint16_t random_port() {
  const auto bytes = random_bytes(2);
  const auto number = static_cast<unsigned>(static_cast<unsigned char>(bytes[0])) << 8 |
                      static_cast<unsigned>(static_cast<unsigned char>(bytes[1]));
  return static_cast<std::uint16_t>(20'000 + number % 12'000);
}

/// What the nodes print; of a node that is lost, nothing, and its error in `lost` unless one is there.
NodeOutputs ask(Nodes& nodes, const ClusterMap& map, const NodeCommands& commands, LostNodes& lost) {
  Nodes::Scripts scripts;
  for (const auto& [node, list] : commands) scripts[map.nodes[node].name()] = commands_script(list);
  NodeOutputs outputs;
  const auto answers = nodes.tell(scripts);
  for (const auto& [node, list] : commands) {
    const auto& answer = answers.at(map.nodes[node].name());
    auto frames = answer ? read_frames(answer->out) : Result<std::map<std::string, ProbeOutput>>();
    if (answer && frames) outputs[node] = std::move(*frames);
    if (answer && frames) continue;
    Error error = answer ? frames.error() : answer.error();
    if (error.where.empty()) error.where = map.nodes[node].name();
    lost.emplace(node, std::move(error));
  }
  return outputs;
}

void add(NodeCommands& all, const NodeCommands& more) {
  for (const auto& [node, list] : more) all[node].insert(all[node].end(), list.begin(), list.end());
}

}  // namespace

Result<KeptByNode> ask_kept(Nodes& nodes, const std::vector<const Node*>& asked) {
  Nodes::Scripts scripts;
  for (const auto* node : asked) scripts[node->name()] = kept_script(node->report.system);
  KeptByNode kept;
  for (const auto& [name, answer] : nodes.tell(scripts)) {
    if (!answer) return fail(answer.error());
    auto read = read_kept(answer->out, name);
    if (!read) return fail(read.error());
    kept[name] = std::move(*read);
  }
  return kept;
}

std::vector<Error> carry_out(Nodes& nodes, const std::map<std::string, SetupJob>& jobs) {
  Nodes::Scripts scripts;
  std::map<std::string, SetupTold> told;
  for (const auto& [name, job] : jobs) {
    scripts[name] = setup_script(job);
    told.emplace(name, SetupTold(job));
  }
  const auto answers = nodes.tell(scripts, [&](const std::string& name, std::string_view line) {
    if (const auto text = told.at(name).take(line)) fmt::print(stderr, "{}: {}\n", name, *text);
  });
  std::vector<Error> errors;
  for (const auto& [name, answer] : answers) {
    auto error = told.at(name).error(name);
    if (!answer && told.at(name).end() == SetupEnd::unknown) {
      error = answer.error();
      if (error->where.empty()) error->where = name;
      error->what += "; what had begun there comes to its end by itself: all of it, or none";
      error->hint =
          "Run this again once the machine answers: what is done is kept. --undo restores what was.";
    }
    if (error) errors.push_back(std::move(*error));
  }
  return errors;
}

Verification verify(Nodes& nodes, const ClusterMap& map, Plan& plan, const Proofs& proofs, LostNodes& lost) {
  const auto until = Clock::now() + kGidDeadline;
  const auto links = proofs.links ? link_commands(map, plan) : NodeCommands();
  NodeCommands commands = reach_commands(map, plan);
  add(commands, links);
  auto outputs = ask(nodes, map, commands, lost);
  Verification addresses;
  choose_addresses(map, outputs, plan, addresses);
  Verification verification;
  if (proofs.links) verification = read_links(map, plan, outputs);
  if (proofs.patient && rdma_pending(verification))
    fmt::print(stderr, "distributed-config: waiting for RDMA devices, at most {} s\n", kGidDeadline.count());
  while (proofs.patient && rdma_pending(verification) && lost.empty() && Clock::now() < until &&
         !nodes.interrupted()) {
    nodes.wait(kLookAgain);
    if (nodes.interrupted()) break;
    outputs = ask(nodes, map, links, lost);
    verification = read_links(map, plan, outputs);
  }
  const auto messages = messages_to_send(map, plan, outputs, verification);
  if (!messages.empty() && lost.empty() && !nodes.interrupted())
    read_messages(map, plan, messages,
                  ask(nodes, map, message_commands(map, plan, messages, random_port()), lost), verification);
  if (proofs.bandwidth && !plan.cables.empty() && lost.empty() && !nodes.interrupted()) {
    fmt::print(stderr, "distributed-config: measuring the cables\n");
    for (const auto& round : bandwidth_rounds(map, plan)) {
      if (nodes.interrupted() || !lost.empty()) break;
      read_bandwidth(map, plan, round,
                     ask(nodes, map, bandwidth_commands(map, plan, round, random_port()), lost),
                     verification);
    }
  }
  verification.addresses = std::move(addresses.addresses);
  find_failures(map, plan, verification);
  return verification;
}

}  // namespace jackal::distributed_config
