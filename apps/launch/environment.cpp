#include "launch/environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "launch/ports.hpp"

namespace jackal::launch {
namespace {

using hostfile::Backend;

// JSON in the spacing of Python's json.dumps, which is what mlx.launch writes: ", " between elements.
std::string json_string(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

template <class List, class Element>
std::string json_list(const List& list, Element element) {
  std::string text = "[";
  for (const auto& item : list) {
    if (text.size() > 1) text += ", ";
    text += element(item);
  }
  return text + "]";
}

std::string json_devices(const std::vector<std::string>& devices) {
  if (devices.empty()) return "null";
  return devices.size() == 1 ? json_string(devices.front()) : json_list(devices, json_string);
}

/// The ports of ring: one a connection, counted over addresses and ranks; `listeners` says on which host each
/// is.
std::vector<std::size_t> ring_listeners(const Options& options, const Layout& layout, const Reach& reach) {
  std::vector<std::size_t> listeners;
  for (std::size_t rank = 0; rank < layout.ranks.size(); ++rank) {
    const std::size_t count = reach.ips[rank].size() * static_cast<std::size_t>(options.connections_per_ip);
    listeners.insert(listeners.end(), count, layout.ranks[rank].host);
  }
  return listeners;
}

std::string ring_json(const Options& options, const Reach& reach, std::uint16_t first_port) {
  unsigned port = first_port;
  return json_list(reach.ips, [&](const std::vector<std::string>& ips) {
    std::vector<std::string> entries;
    for (const std::string& ip : ips) {
      for (int i = 0; i < options.connections_per_ip; ++i)
        entries.push_back(fmt::format("{}:{}", ip, port++));
    }
    return json_list(entries, json_string);
  });
}

void warn_of_uneven_ring(const Layout& layout, const Reach& reach, std::vector<std::string>& notes) {
  for (std::size_t rank = 1; rank < reach.ips.size(); ++rank) {
    if (reach.ips[rank].size() == reach.ips[0].size()) continue;
    notes.push_back(
        fmt::format("{} has {} addresses and {} has {}: MLX's ring wants the same number on every host",
                    layout.hosts[layout.ranks[0].host].ssh, reach.ips[0].size(),
                    layout.hosts[layout.ranks[rank].host].ssh, reach.ips[rank].size()));
    return;
  }
}

Result<BackendEnvironment> ring(const Options& options, const Layout& layout,
                                const std::vector<NodeFacts>& facts, const Reach& reach,
                                std::vector<std::string>& notes) {
  BackendEnvironment made;
  // One rank has no peers, and MLX refuses a file that names none: without a file it is a group of one.
  if (layout.size() > 1) {
    const std::vector<std::size_t> listeners = ring_listeners(options, layout, reach);
    const PortWish wish{"--starting-port", 32323, options.starting_port};
    const Result<std::uint16_t> first = consecutive_ports(wish, listeners, layout, facts, notes);
    if (!first) return fail(first.error());
    for (std::size_t index = 0; index < listeners.size(); ++index) {
      const bool of_rank_0 = listeners[index] == layout.ranks[0].host;
      if (of_rank_0) made.ports_of_rank_0.insert(static_cast<std::uint16_t>(*first + index));
    }
    made.files.push_back({"mlx_hostfile.json", "MLX_HOSTFILE", ring_json(options, reach, *first) + "\n"});
    warn_of_uneven_ring(layout, reach, notes);
  }
  if (options.verbose) made.variables.emplace_back("MLX_RING_VERBOSE", "1");
  return made;
}

Result<BackendEnvironment> jaccl(const Options& options, const Layout& layout,
                                 const std::vector<NodeFacts>& facts, const Reach& reach,
                                 std::vector<std::string>& notes) {
  const PortWish wish{"--starting-port", 32323, options.starting_port};
  const Result<std::uint16_t> port = consecutive_ports(wish, {layout.ranks[0].host}, layout, facts, notes);
  if (!port) return fail(port.error());
  BackendEnvironment made;
  made.ports_of_rank_0 = {*port};
  made.variables.emplace_back("MLX_JACCL_COORDINATOR", fmt::format("{}:{}", reach.ips[0].front(), *port));
  if (layout.backend == Backend::jaccl_ring) made.variables.emplace_back("MLX_JACCL_RING", "1");
  // One rank may come without a matrix: its row is the null for itself.
  std::vector<std::vector<std::vector<std::string>>> matrix;
  for (const hostfile::Host& host : layout.hostfile.hosts) {
    matrix.push_back(host.rdma);
    matrix.back().resize(layout.ranks.size());
  }
  const std::string bytes = json_list(
      matrix, [](const std::vector<std::vector<std::string>>& row) { return json_list(row, json_devices); });
  made.files.push_back({"mlx_ibv_devices.json", "MLX_IBV_DEVICES", bytes + "\n"});
  return made;
}

Result<BackendEnvironment> nccl(const Options& options, const Layout& layout,
                                const std::vector<NodeFacts>& facts, const Reach& reach,
                                std::vector<std::string>& notes) {
  const PortWish wish{"--nccl-port", 12345, options.nccl_port};
  const Result<std::uint16_t> port = consecutive_ports(wish, {layout.ranks[0].host}, layout, facts, notes);
  if (!port) return fail(port.error());
  BackendEnvironment made;
  made.ports_of_rank_0 = {*port};
  if (options.verbose) made.variables.emplace_back("NCCL_DEBUG", "INFO");
  made.variables.emplace_back("NCCL_HOST_IP", reach.ips[0].front());
  made.variables.emplace_back("NCCL_PORT", std::to_string(*port));
  made.variables.emplace_back("MLX_WORLD_SIZE", std::to_string(layout.size()));
  return made;
}

bool has(const remote::Environment& env, std::string_view name) {
  return std::any_of(env.begin(), env.end(), [&](const auto& entry) { return entry.first == name; });
}

void set(remote::Environment& env, const std::pair<std::string, std::string>& entry) {
  const auto same = [&](const auto& other) { return other.first == entry.first; };
  env.erase(std::remove_if(env.begin(), env.end(), same), env.end());
  env.push_back(entry);
}

}  // namespace

Result<BackendEnvironment> backend_environment(const Options& options, const Layout& layout,
                                               const std::vector<NodeFacts>& facts, const Reach& reach,
                                               std::vector<std::string>& notes) {
  switch (layout.backend) {
    case Backend::ring:
      return ring(options, layout, facts, reach, notes);
    case Backend::jaccl:
    case Backend::jaccl_ring:
      return jaccl(options, layout, facts, reach, notes);
    case Backend::nccl:
      return nccl(options, layout, facts, reach, notes);
    case Backend::jackal:
    case Backend::mpi:
      break;
  }
  return BackendEnvironment{};
}

remote::Environment merged_environment(const Options& options, const remote::Environment& users,
                                       const remote::Environment& ours, std::vector<std::string>& notes) {
  remote::Environment env;
  // Without a terminal Python would keep a rank's output to itself until it ends.
  if (!has(users, "PYTHONUNBUFFERED")) env.emplace_back("PYTHONUNBUFFERED", "1");
  for (const auto& entry : users) set(env, entry);
  const Surroundings& here = options.surroundings;
  if (here.columns > 0 && !has(users, "COLUMNS")) {
    env.emplace_back("COLUMNS", std::to_string(here.columns));
    if (!has(users, "LINES")) env.emplace_back("LINES", std::to_string(here.lines));
  }
  for (const auto& entry : ours) {
    if (has(users, entry.first)) {
      notes.push_back(fmt::format("{} is launch's to set: the value given for it is not used", entry.first));
    }
    set(env, entry);
  }
  return env;
}

}  // namespace jackal::launch
