// What a device lets one process have, and how connections live within it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transports/verbs/reliable_stream.hpp"

namespace jackal::collectives {

/// Apple counts queue depths and messages in frames of this size (TN3205); elsewhere it does no harm.
inline constexpr std::size_t kFrameBytes = 4096;

struct DeviceLimits {
  int queue_pairs = 0;
  int regions = 0;
  int depth_frames = 0;           // of each queue
  std::int64_t region_bytes = 0;  // one region, at most
  int completions = 0;            // that a completion queue holds
  bool operator==(const DeviceLimits&) const = default;
};

/// Thunderbolt on macOS 26.2: at most 10 queue pairs and 100 regions a device and 4095 frames a queue;
/// regions beyond 1 GiB are avoided because some of 4 GiB and more were seen to corrupt data. How many
/// completions a queue holds is not known; so many as there are frames are taken to be safe.
DeviceLimits apple_limits();

/// How the connections over one device are made.
struct ConnectionPlan {
  std::vector<int> neighbours;  // positions among the wanted peers: those that get a connection
  int queue_pairs = 0;          // of each connection: 2, one a class of messages, or 1
  int groups = 0;               // that may share a connection at the same time, each with its own streams
  StreamSizes sizes;
  std::string problem;  // set when not even one connection fits
};

/// For the `wanted` connections over one device; `streams` of each group run over each. All connections get
/// the same. When even one queue pair each is too many, ranks keep those peers that are nearest to them
/// around a circle of `circle` ranks (both sides decide alike, and the circle stays connected): `wanted[i]`
/// is a distance, 1 … circle - 1.
ConnectionPlan plan_connections(const std::vector<int>& wanted, int circle, int streams,
                                const DeviceLimits& limits);

/// Bytes of registered memory for one stream's messages on one connection.
std::size_t slab_bytes(const StreamSizes& sizes);

/// Work requests of one connection, over so many streams: as many completions may come at once.
int requests_of(const StreamSizes& sizes, int streams);

/// Work requests of one queue of a class: all receives, or all sends, of so many streams.
int depth_of(const StreamSizes& sizes, MessageClass c, int streams, bool receives);

}  // namespace jackal::collectives
