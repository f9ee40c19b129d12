// Which ranks have a direct link, what it can do, and what each host can do: what the tuner and the simulator
// compute with. Whole numbers only, so that every rank, on any machine, computes the very same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackal::collectives {

/// From one rank to another, one way. Times in ns; bandwidths in bytes per ms.
struct Path {
  int cables = 0;                 // 0: no direct link
  std::int64_t latency_ns = 0;    // of an empty message
  std::int64_t bytes_per_ms = 0;  // of one cable
  std::string transport;          // "shm", "tcp", "verbs"
  bool linked() const { return cables > 0; }
  bool operator==(const Path&) const = default;
};

struct Fabric {
  int ranks = 0;
  std::vector<Path> paths;               // [from * ranks + to]
  std::vector<int> host_of;              // which host each rank is on; equal numbers share cores and memory
  std::vector<int> cores_of_host;        // by the numbers of host_of
  std::int64_t step_ns = 0;              // what a rank pays to start any one transfer
  std::int64_t copy_bytes_per_ms = 0;    // of one core: moving a byte in or out of a transport
  std::int64_t reduce_bytes_per_ms = 0;  // of one core

  const Path& path(int from, int to) const {
    return paths[static_cast<std::size_t>(from) * static_cast<std::size_t>(ranks) +
                 static_cast<std::size_t>(to)];
  }
  bool complete() const;   // every pair has a direct link
  bool connected() const;  // every rank can be reached through others
  bool operator==(const Fabric&) const = default;
};

/// The next rank on the shortest way (fewest hops, then lowest rank) from `from` to `to`; -1 when there is
/// none.
int next_hop(const Fabric& fabric, int from, int to);

/// JSON, as JACKAL_FABRIC and jackal-bench --simulate read it (jackal-bench(1) describes it). Nothing is
/// trusted; `problem` says what was wrong and where.
struct ReadFabric {
  std::optional<Fabric> fabric;
  std::string problem;
};
ReadFabric parse_fabric(std::string_view json);
std::string write_fabric(const Fabric& fabric);

}  // namespace jackal::collectives
