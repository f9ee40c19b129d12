#include "transports/verbs/limits.hpp"

#include <algorithm>

namespace jackal::collectives {
namespace {

// 64 KiB and a header fit into the large ones; latency asks for the smallest there are.
constexpr int kSmallFrames = 1;
constexpr int kLargeFrames = 17;
constexpr int kSmallWindow = 16;
constexpr int kLargeWindow = 6;
// A job that is divided two ways, and one way more for a while.
constexpr int kMostGroups = 4;

StreamSizes::Class messages_of(int frames, int window) {
  const auto bytes = static_cast<std::size_t>(frames) * kFrameBytes;
  return {bytes, bytes - kFrameBytes + 1, window};
}

int frames_of(const StreamSizes& sizes, MessageClass c) {
  return static_cast<int>(sizes.classes[static_cast<std::size_t>(c)].message_bytes / kFrameBytes);
}

bool fits(const StreamSizes& sizes, int connections, int streams, const DeviceLimits& limits) {
  if (connections * requests_of(sizes, streams) > limits.completions) return false;
  for (const MessageClass c : {MessageClass::small, MessageClass::large})
    for (const bool receives : {false, true})
      if (depth_of(sizes, c, streams, receives) * frames_of(sizes, c) > limits.depth_frames) return false;
  return true;
}

}  // namespace

DeviceLimits apple_limits() { return {10, 100, 4095, std::int64_t{1} << 30, 4095}; }

ConnectionPlan plan_connections(const std::vector<int>& wanted, int circle, int streams,
                                const DeviceLimits& limits) {
  ConnectionPlan plan;
  const int count = static_cast<int>(wanted.size());
  plan.queue_pairs = 2 * count <= limits.queue_pairs ? 2 : 1;
  plan.sizes.classes[0] = messages_of(kSmallFrames, kSmallWindow);
  if (plan.queue_pairs == 2) plan.sizes.classes[1] = messages_of(kLargeFrames, kLargeWindow);
  const int connections = std::min(count, limits.queue_pairs);
  // Each group has a region of its own on each connection.
  plan.groups = connections == 0 ? kMostGroups : std::min(kMostGroups, limits.regions / connections);
  while (plan.groups > 0 && !fits(plan.sizes, connections, plan.groups * streams, limits)) --plan.groups;
  if (plan.groups == 0) {
    plan.problem = "its queues hold only " + std::to_string(limits.depth_frames) + " frames of 4 KiB and " +
                   std::to_string(limits.completions) + " completions, and it takes only " +
                   std::to_string(limits.regions) + " memory regions";
    return plan;
  }
  // Around a circle, distance d in one direction is circle - d in the other: what one keeps, the other keeps.
  const int reach = count <= limits.queue_pairs ? circle : limits.queue_pairs / 2;
  for (int i = 0; i < count; ++i) {
    const int distance = wanted[static_cast<std::size_t>(i)];
    if (std::min(distance, circle - distance) <= reach) plan.neighbours.push_back(i);
  }
  if (count > 0 && limits.queue_pairs < 2 && count > limits.queue_pairs)
    plan.problem = "it has only " + std::to_string(limits.queue_pairs) + " queue pairs";
  return plan;
}

std::size_t slab_bytes(const StreamSizes& sizes) {
  std::size_t bytes = 0;
  for (const MessageClass c : {MessageClass::small, MessageClass::large})
    bytes += static_cast<std::size_t>(sizes.sends(c) + sizes.receives(c)) *
             sizes.classes[static_cast<std::size_t>(c)].message_bytes;
  return bytes;
}

int requests_of(const StreamSizes& sizes, int streams) {
  int requests = 0;
  for (const MessageClass c : {MessageClass::small, MessageClass::large})
    for (const bool receives : {false, true}) requests += depth_of(sizes, c, streams, receives);
  return requests;
}

int depth_of(const StreamSizes& sizes, MessageClass c, int streams, bool receives) {
  return streams * (receives ? sizes.receives(c) : sizes.sends(c));
}

}  // namespace jackal::collectives
