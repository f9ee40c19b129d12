#include "launch/ports.hpp"

#include <fmt/format.h>

#include <limits>

namespace jackal::launch {
namespace {

constexpr std::size_t kLastPort = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint16_t kFirstRandomPort = 20'000;
constexpr std::uint16_t kLastRandomPort = 32'000;

using BusyPorts = std::vector<std::set<std::uint16_t>>;  // of each host

/// The index of the first listener whose port is taken; nullopt when all are free.
std::optional<std::size_t> first_conflict(std::size_t start, const std::vector<std::size_t>& listeners,
                                          const BusyPorts& busy) {
  for (std::size_t index = 0; index < listeners.size(); ++index) {
    if (busy[listeners[index]].count(static_cast<std::uint16_t>(start + index)) != 0) return index;
  }
  return std::nullopt;
}

// splitmix64: seeds that differ in one bit give unrelated ports.
std::uint64_t mixed(std::uint64_t seed) {
  seed += 0x9e3779b97f4a7c15;
  seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9;
  seed = (seed ^ (seed >> 27)) * 0x94d049bb133111eb;
  return seed ^ (seed >> 31);
}

}  // namespace

bool hands_out_ports(const Layout& layout, std::size_t host) {
  return layout.size() > 1 && (layout.backend == hostfile::Backend::ring || host == layout.ranks[0].host);
}

Result<std::uint16_t> consecutive_ports(const PortWish& wish, const std::vector<std::size_t>& listeners,
                                        const Layout& layout, const std::vector<NodeFacts>& facts,
                                        std::vector<std::string>& notes) {
  BusyPorts busy;
  for (const NodeFacts& node : facts) busy.emplace_back(node.busy_ports.begin(), node.busy_ports.end());
  const std::size_t first = wish.given.value_or(wish.usual);
  const std::size_t last_first = kLastPort + 1 - listeners.size();
  if (listeners.size() > kLastPort || first > last_first) {
    return fail({ErrorCode::usage, std::string(wish.flag),
                 fmt::format("the job needs {} ports from {} on, and ports end at {}", listeners.size(),
                             first, kLastPort),
                 "start lower, or use fewer ranks or connections"});
  }
  const std::optional<std::size_t> conflict = first_conflict(first, listeners, busy);
  if (!conflict) return static_cast<std::uint16_t>(first);
  const std::size_t taken = first + *conflict;
  const std::string& host = layout.hosts[listeners[*conflict]].ssh;
  for (std::size_t start = first + 1; !wish.given && start <= last_first; ++start) {
    if (first_conflict(start, listeners, busy)) continue;
    notes.push_back(
        fmt::format("port {} is taken on {}: using {} in place of {}", taken, host, start, first));
    return static_cast<std::uint16_t>(start);
  }
  return fail({ErrorCode::usage, std::string(wish.flag), fmt::format("port {} is taken on {}", taken, host),
               wish.given ? "give another, or leave the flag out and a free one is found"
                          : "give one from which on ports are free"});
}

Result<std::uint16_t> random_port(std::uint64_t seed, const std::set<std::uint16_t>& taken,
                                  const std::string& host) {
  constexpr std::uint64_t kCount = kLastRandomPort - kFirstRandomPort + 1;
  const std::uint64_t start = mixed(seed) % kCount;
  for (std::uint64_t step = 0; step < kCount; ++step) {
    const auto port = static_cast<std::uint16_t>(kFirstRandomPort + (start + step) % kCount);
    if (taken.count(port) == 0) return port;
  }
  return fail({ErrorCode::unreachable, host,
               fmt::format("no port from {} to {} is free there", kFirstRandomPort, kLastRandomPort),
               "end what listens on them"});
}

}  // namespace jackal::launch
