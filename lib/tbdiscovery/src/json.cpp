#include "jackal/tbdiscovery/json.hpp"

#include <nlohmann/json.hpp>

#include "drawing_text.hpp"
#include "jackal/hostfile/writer.hpp"

namespace jackal::tbdiscovery {
namespace {

using json = nlohmann::ordered_json;

json text_or_null(const std::string& text) { return text.empty() ? json() : json(text); }
json speed_or_null(double gbps) { return gbps > 0 ? json(gbps) : json(); }

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json();
}

json address_or_null(const std::optional<Ipv4>& address) {
  return address ? json(to_string(*address)) : json();
}

const char* generation_name(Generation generation) {
  switch (generation) {
    case Generation::thunderbolt3:
      return "TB3";
    case Generation::thunderbolt4:
      return "TB4";
    case Generation::thunderbolt5:
      return "TB5";
    case Generation::unknown:
      break;
  }
  return nullptr;
}

const char* state_name(PortState state) {
  switch (state) {
    case PortState::active:
      return "active";
    case PortState::down:
      return "down";
    case PortState::other:
      return "other";
    case PortState::unknown:
      break;
  }
  return nullptr;
}

const char* rdma_name(Rdma rdma) {
  switch (rdma) {
    case Rdma::unsupported:
      return "unsupported";
    case Rdma::old_system:
      return "old-system";
    case Rdma::disabled:
      return "disabled";
    case Rdma::no_device:
      return "no-device";
    case Rdma::enabled:
      return "enabled";
    case Rdma::unknown:
      break;
  }
  return nullptr;
}

json name_or_null(const char* name) { return name ? json(name) : json(); }

json port_json(const ClusterMap& map, const End& end) {
  const Port& port = map.port(end);
  json out = {{"receptacle", text_or_null(port.receptacle)},
              {"interface", text_or_null(port.interface)},
              {"generation", name_or_null(generation_name(port.generation))},
              {"connected", port.connected},
              {"gbps", speed_or_null(port.gbps)},
              {"linked", port.linked},
              {"domain_uuid", text_or_null(port.domain_uuid)},
              {"rdma_device", port.rdma_listed == true ? json(port.rdma_device) : json()},
              {"rdma_state", name_or_null(state_name(port.rdma_state))},
              {"gids", json::array()},
              {"bridge", text_or_null(port.bridge)},
              {"active", or_null(port.active)},
              {"addresses", json::array()},
              {"on_it", text_or_null(occupant(map, end))}};
  for (const auto& gid : port.gids) out["gids"].push_back({{"index", gid.index}, {"gid", gid.text}});
  for (const auto& own : port.addresses) {
    out["addresses"].push_back(to_string(own.address) + "/" + std::to_string(own.prefix));
  }
  return out;
}

const char* system_name(System system) {
  return system == System::macos ? "macos" : system == System::linux_ ? "linux" : nullptr;
}

json node_json(const ClusterMap& map, std::size_t index) {
  const Node& node = map.nodes[index];
  const NodeReport& report = node.report;
  json out = {{"name", node.name()},
              {"error", report.failure ? json(report.failure->what) : json()},
              {"system", name_or_null(system_name(report.system))},
              {"os_version", text_or_null(report.os_version)},
              {"model", text_or_null(report.model)},
              {"memory_bytes", or_null(report.memory_bytes)},
              {"cores", or_null(report.cores)},
              {"rdma", name_or_null(rdma_name(node.rdma))},
              {"sudo", or_null(report.sudo)},
              {"sleep_minutes", or_null(report.sleep_minutes)},
              {"ssh_address", address_or_null(report.ssh_address)},
              {"default_source", address_or_null(report.default_source)},
              {"ports", json::array()}};
  for (std::size_t port = 0; port < node.ports.size(); ++port)
    out["ports"].push_back(port_json(map, {index, port}));
  return out;
}

json end_json(const ClusterMap& map, const End& end) {
  const Port& port = map.port(end);
  return {{"node", map.node(end).name()},
          {"receptacle", text_or_null(port.receptacle)},
          {"interface", text_or_null(port.interface)},
          {"rdma_device", port.rdma_listed == true ? json(port.rdma_device) : json()}};
}

json cable_json(const ClusterMap& map, const Cable& cable) {
  const auto obstacle = rdma_obstacle(map, cable);
  return {{"ends", json::array({end_json(map, cable.a), end_json(map, cable.b)})},
          {"gbps", speed_or_null(cable.gbps)},
          {"through", cable.through},
          {"rdma", obstacle.empty()},
          {"rdma_obstacle", text_or_null(obstacle)},
          {"tcp_obstacle", text_or_null(tcp_obstacle(map, cable))}};
}

json stranger_json(const ClusterMap& map, const Stranger& stranger) {
  return {{"node", map.node(stranger.port).name()},
          {"receptacle", text_or_null(map.port(stranger.port).receptacle)},
          {"kind", "computer"},
          {"name", text_or_null(stranger.name)},
          {"model", text_or_null(stranger.model)},
          {"domain_uuid", text_or_null(stranger.domain_uuid)},
          {"through", stranger.through}};
}

json attachment_json(const ClusterMap& map, const Attachment& attachment) {
  return {{"node", map.node(attachment.port).name()},
          {"receptacle", text_or_null(map.port(attachment.port).receptacle)},
          {"kind", "device"},
          {"name", text_or_null(attachment.name)},
          {"vendor", text_or_null(attachment.vendor)},
          {"depth", attachment.depth}};
}

json problem_json(const Problem& problem) {
  return {{"code", to_string(problem.code)},
          {"severity", to_string(problem.severity)},
          {"blocks", problem.blocks},
          {"node", text_or_null(problem.node)},
          {"port", text_or_null(problem.port)},
          {"cable", or_null(problem.cable)},
          {"what", problem.what},
          {"why", problem.why},
          {"next", problem.next}};
}

json plan_json(const ClusterMap& map, const Plan& plan) {
  json out = {{"backend", hostfile::to_string(plan.backend)},
              {"topology", to_string(plan.topology)},
              {"ranks", json::array()},
              {"left_out", json::array()},
              {"reason", plan.reason},
              {"search", json()},
              {"notes", plan.notes},
              {"cables", json::array()}};
  if (plan.search) {
    out["search"] = {{"proven", plan.search->proven}, {"upper_bound", plan.search->upper_bound}};
  }
  for (const auto node : plan.ranks) out["ranks"].push_back(map.nodes[node].name());
  for (const auto node : plan.left_out) out["left_out"].push_back(map.nodes[node].name());
  for (const auto& cable : plan.cables) {
    out["cables"].push_back({{"cable", cable.cable},
                             {"network", to_string(cable.network)},
                             {"ips", json::array({to_string(cable.ip_a), to_string(cable.ip_b)})},
                             {"rdma", cable.rdma}});
  }
  out["hostfile"] = json::parse(hostfile::to_json(plan.hostfile), nullptr, false);
  return out;
}

json step_json(const Step& step) {
  return {{"argv", step.argv},
          {"otherwise", step.otherwise},
          {"undo", step.undo},
          {"input", text_or_null(step.input)},
          {"why", step.why}};
}

json setup_json(const NodeSetup& setup) {
  json out = {{"node", setup.name},
              {"steps", json::array()},
              {"checks", json::array()},
              {"commands", shell_text(setup)}};
  for (const auto& step : setup.steps) out["steps"].push_back(step_json(step));
  for (const auto& check : setup.checks) {
    out["checks"].push_back({{"argv", check.argv}, {"expect", check.expect}, {"why", check.why}});
  }
  return out;
}

json figure_json(const std::optional<Figure>& figure) {
  return figure ? json{{"value", figure->value}, {"how", figure->how}} : json();
}

void add_outcome(json& out, const Outcome& outcome) {
  out["ignored"] = json::array();
  for (const auto& host : outcome.ignored)
    out["ignored"].push_back({{"name", host.node}, {"error", host.error}});
  out["files"] = json::array();
  for (const auto& file : outcome.files) out["files"].push_back({{"kind", file.kind}, {"path", file.path}});
  out["exit"] = outcome.exit;
}

std::string text_of(const json& document) {
  // Names come from outside and may be anything but UTF-8.
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

json ping_json(const PingResult& ping) {
  if (!ping.measured) return {};
  return {{"sent", ping.sent}, {"received", ping.received}, {"round_trip_ms", or_null(ping.round_trip_ms)}};
}

json proof_json(const ClusterMap& map, const CableVerification& proof) {
  const Cable& cable = map.cables[proof.cable];
  json out = {{"cable", proof.cable}, {"ends", json::array()}};
  for (const bool a : {true, false}) {
    json end = end_json(map, a ? cable.a : cable.b);
    end["ping"] = ping_json(a ? proof.from_a : proof.from_b);
    end["rdma_missing"] = text_or_null(a ? proof.rdma_missing_a : proof.rdma_missing_b);
    out["ends"].push_back(std::move(end));
  }
  out["rdma_carried"] = or_null(proof.rdma_carried);
  out["rdma_how"] = text_or_null(proof.rdma_how);
  out["tcp_gbps"] = or_null(proof.tcp_gbps);
  out["tcp_how"] = text_or_null(proof.tcp_how);
  return out;
}

const char* reach_name(Reach reach) {
  switch (reach) {
    case Reach::connected:
      return "connected";
    case Reach::refused:
      return "refused";
    case Reach::pinged:
      return "ping-only";
    case Reach::nothing:
      return "not-reached";
    case Reach::unknown:
      break;
  }
  return nullptr;
}

json reached_json(const ClusterMap& map, const ReachedAddress& reached) {
  json out = {{"node", map.nodes[reached.node].name()},
              {"address", address_or_null(reached.address)},
              {"from", json::array()}};
  for (const auto& [node, reach] : reached.from)
    out["from"].push_back({{"node", map.nodes[node].name()}, {"reach", name_or_null(reach_name(reach))}});
  return out;
}

json verification_json(const ClusterMap& map, const Verification& verification) {
  json out = {{"cables", json::array()}, {"addresses", json::array()}, {"failures", verification.failures}};
  for (const auto& proof : verification.cables) out["cables"].push_back(proof_json(map, proof));
  for (const auto& reached : verification.addresses) out["addresses"].push_back(reached_json(map, reached));
  return out;
}

}  // namespace

std::string to_json(const ClusterMap& map, const std::vector<Problem>& problems, const Result<Plan>& plan,
                    const std::vector<NodeSetup>& setup, const Outcome& outcome) {
  json out = {{"version", kJsonVersion}, {"nodes", json::array()},    {"cables", json::array()},
              {"others", json::array()}, {"problems", json::array()}, {"plan", json()},
              {"plan_error", json()},    {"setup", json::array()},    {"measurements", json::array()}};
  for (std::size_t i = 0; i < map.nodes.size(); ++i) out["nodes"].push_back(node_json(map, i));
  for (const auto& cable : map.cables) out["cables"].push_back(cable_json(map, cable));
  for (const auto& stranger : map.strangers) out["others"].push_back(stranger_json(map, stranger));
  for (const auto& device : map.attachments) out["others"].push_back(attachment_json(map, device));
  for (const auto& problem : problems) out["problems"].push_back(problem_json(problem));
  if (plan)
    out["plan"] = plan_json(map, *plan);
  else
    out["plan_error"] = {{"what", plan.error().what}, {"hint", text_or_null(plan.error().hint)}};
  for (const auto& node : setup) out["setup"].push_back(setup_json(node));
  for (const auto& measured : measurements(outcome.verification)) {
    out["measurements"].push_back({{"cable", measured.cable},
                                   {"round_trip_ms", figure_json(measured.round_trip_ms)},
                                   {"tcp_gbps", figure_json(measured.tcp_gbps)}});
  }
  out["setup_ran"] = outcome.setup_ran;
  out["setup_errors"] = json::array();
  for (const auto& error : outcome.setup_errors) {
    out["setup_errors"].push_back(
        {{"node", text_or_null(error.where)}, {"what", error.what}, {"hint", text_or_null(error.hint)}});
  }
  out["verification"] = outcome.verification ? verification_json(map, *outcome.verification) : json();
  add_outcome(out, outcome);
  return text_of(out);
}

std::string to_json(const std::string& hostfile, const ClusterMap& map,
                    const std::vector<Difference>& differences, const Outcome& outcome) {
  json out = {{"version", kJsonVersion},
              {"hostfile", hostfile},
              {"nodes", json::array()},
              {"differences", json::array()}};
  for (const auto& node : map.nodes) {
    const auto& failure = node.report.failure;
    out["nodes"].push_back({{"name", node.name()}, {"error", failure ? json(failure->text()) : json()}});
  }
  for (const auto& difference : differences) {
    out["differences"].push_back({{"kind", to_string(difference.kind)},
                                  {"rank", difference.rank},
                                  {"peer", difference.peer},
                                  {"text", difference.text}});
  }
  add_outcome(out, outcome);
  return text_of(out);
}

}  // namespace jackal::tbdiscovery
