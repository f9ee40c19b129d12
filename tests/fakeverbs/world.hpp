// The shared state of all processes that use the fake verbs provider, and how tests steer it. Everything lies
// in one file that all of them map; FAKE_VERBS names it, FAKE_VERBS_NODE says whose devices a process sees
// (none: all).
#pragma once

#include <pthread.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace fakeverbs {

inline constexpr int kDevices = 512;
inline constexpr int kQueuePairs = 512;
inline constexpr std::uint32_t kReceives = 512;
inline constexpr std::uint32_t kInbox = 256;
inline constexpr int kFrames = 16384;
inline constexpr int kFrameBytes = 4096;
inline constexpr int kGids = 4;

struct Counts {
  int contexts = 0, domains = 0, queues = 0, regions = 0, queue_pairs = 0;
};

struct Device {
  char name[32];
  int node;
  bool active;          // its port
  bool gone;            // pulled out of the machine
  int peer;             // the device at the other end of its cable; -1: a switch, everybody
  std::int64_t gid_ms;  // from when on (CLOCK_MONOTONIC) it has its IPv4 GID; -1: never
  int gid_index;        // where the IPv4 GID stands
  int transport;        // 100: Thunderbolt
  int loss_ppm;         // messages lost on their way in
  int damage_ppm;       // messages of which one byte changes
  int error_status;     // ibv_wc_status of the next completion; 0: none
  int max_queue_pairs, max_regions, max_depth;
  int granted_depth;  // of each queue, whatever was asked for; 0: what was asked for
  Counts live;
  std::int64_t region_bytes;
};

struct Receive {
  std::uint64_t id, address;
  std::uint32_t bytes;
};
struct Arrival {
  int first_frame, frames;
  std::uint32_t bytes;
};
struct Sent {
  std::uint64_t id;
};

template <class T, std::uint32_t N>
struct Ring {
  T items[N];
  std::uint32_t head, count;
  bool push(const T& item) {
    if (count == N) return false;
    items[(head + count++) % N] = item;
    return true;
  }
  T pop() {
    const T item = items[head];
    head = (head + 1) % N;
    --count;
    return item;
  }
};

struct QueuePair {
  bool used;
  int device, queue;  // `queue`: number of its completion queue
  int state;          // ibv_qp_state
  int to_device;
  std::uint32_t to_number;
  std::uint32_t depth_send, depth_receive;    // granted, in frames
  std::uint32_t frames_send, frames_receive;  // posted and not completed
  Ring<Receive, kReceives> receives;
  Ring<Arrival, kInbox> inbox;
  Ring<Sent, kReceives> sent;
  Ring<std::uint32_t, kReceives> sent_frames;
};

struct World {
  pthread_mutex_t lock;
  int devices_used;
  Device devices[kDevices];
  QueuePair queue_pairs[kQueuePairs];
  int next_queue;
  std::uint64_t random;
  // What went wrong that never should.
  int over_posts, frame_mismatches, without_receive, foreign_memory;
  std::uint64_t messages, lost;
  bool frame_used[kFrames];
  int frame_hint;
  char frames[std::size_t{kFrames} * kFrameBytes];
  char* frame(int number) { return frames + static_cast<std::size_t>(number) * kFrameBytes; }
};

/// Makes the file, or maps the one that is there. Throws std::runtime_error.
World& open_world(const std::string& path, bool create);

class Lock {
public:
  explicit Lock(World& world);
  ~Lock();

private:
  World& world_;
};

/// A new active device with Apple's limits on `node`, cabled to nothing yet; its number.
int add_device(World& world, const std::string& name, int node);
void cable(World& world, int a, int b);

}  // namespace fakeverbs
