// What lies where in the segment that the ranks of one host share. Everything in it is written by one rank
// only, except the counters of Sleepers; readers check what they use as an index or a length.
//
//   Sleepers │ Board of each member │ slots: 2 of each member │ windows of each member │ rings of each
//   pair
//
// Invariants, for a group whose members number their calls k = 1, 2, … alike:
//  1. A member's first act in call k is its post: slot k % 2, flag last. Nobody leaves call k before it has
//     seen all posts of call k.
//  2. So when a member has seen all posts of call k, everyone has left call k - 1, and what belongs to call
//     k - 1 (its slot, its windows) may be written again in call k + 1.
//  3. A step of a large call takes the next of the windows that lie side by side in one half of the stage,
//  four
//     or more; what a step reads has been read by everybody two steps later. A call with windows of another
//     size goes on in the other half. So its first window, which it writes before it knows that everyone has
//     left the call before, lies apart from that call's.
//     Fewer windows would be slower, as lines that both processors have just used change owners at half the
//     speed; more push the operands out of the cache.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "group/call.hpp"
#include "transports/shm/memory.hpp"

namespace jackal::collectives::shm {

// Two lines of x86, whose prefetcher fetches pairs; one of Apple's processors.
inline constexpr std::size_t kLine = 128;

// One line of x86.
inline constexpr std::size_t kCacheLine = 64;

/// Members that sleep in the kernel, and the word that they sleep on.
struct Sleepers {
  alignas(kLine) std::atomic<std::uint32_t> count;
  std::atomic<std::uint32_t> word;
};

/// What one member tells all others besides its slots.
struct Board {
  static constexpr std::size_t kBuffers = 128;

  alignas(kLine) std::atomic<std::uint64_t> staged;    // steps whose input it has put into a window
  alignas(kLine) std::atomic<std::uint64_t> reduced;   // steps whose result it has ready
  alignas(kLine) std::atomic<std::uint64_t> done;      // calls in which it reads nothing of others any more
  alignas(kLine) std::atomic<std::uint64_t> probed;    // rounds of the measurement at the start
  alignas(kLine) std::array<Signature, 2> signatures;  // of the calls in its slots
  alignas(kLine) std::atomic<std::uint64_t> buffers_version;  // changes when one of the buffers goes
  std::array<std::atomic<std::uint64_t>, kBuffers> buffers;   // tokens of those that others may map; 0: none
};

/// Flag and data of a small call; of a large one, a Post in the place of the data.
struct Slot {
  alignas(kLine) std::atomic<std::uint64_t> flag;
  std::byte data[kLine - sizeof(std::uint64_t)];  // goes on behind the end of the struct

  /// Little data share the flag's line; more begin at the next one, as misaligned copies are slow.
  static constexpr std::size_t data_at(std::size_t bytes) {
    return bytes <= kCacheLine - sizeof(std::uint64_t) ? sizeof(std::uint64_t) : kMostDataAt;
  }
  static constexpr std::size_t kMostDataAt = kCacheLine;
};

/// Where the operands of a large call are.
struct Operand {
  std::uint64_t address = 0;  // in the memory of the process; 0: none
  Place buffer;               // the buffer that holds it, if any
  std::uint64_t offset = 0;   // within that
};
struct Post {
  Operand in;
  Operand out;
  std::uint8_t in_place = 0;  // `in` and `out` overlap
  std::uint8_t awkward = 0;   // in such a way that taking overwrites input which others still want
  std::uint8_t put = 0;       // the input of step 0 is in its window
  std::uint8_t unused[5] = {};
};

/// Head of the ring of bytes from one member to another.
struct Ring {
  alignas(kLine) std::atomic<std::uint64_t> written;
  alignas(kLine) std::atomic<std::uint64_t> taken;
};

/// Sizes and offsets for a number of members; pure.
class Layout {
public:
  static constexpr int kLanes = 2;
  static constexpr std::size_t kWindows = 8;  // of the largest size, in a stage

  explicit Layout(std::size_t members);

  std::size_t members() const { return members_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t slot_bytes() const { return slot_; }  // data that fit into a slot
  std::size_t part_bytes() const { return part_; }  // of a window, for each member; whole lines
  std::size_t window_bytes() const { return part_ * members_; }
  std::size_t ring_bytes() const { return ring_; }  // a power of two

  std::size_t board(std::size_t member) const { return boards_ + member * sizeof(Board); }
  std::size_t slot(std::size_t member, std::uint64_t call) const {
    return slots_ + (member * 2 + call % 2) * slot_stride_;
  }
  std::size_t stage_bytes() const { return kWindows * window_bytes(); }
  std::size_t stage(std::size_t member) const { return stages_ + member * stage_bytes(); }
  std::size_t ring(std::size_t from, std::size_t to, std::size_t lane) const {
    return rings_ + ((from * members_ + to) * kLanes + lane) * (sizeof(Ring) + ring_);
  }

private:
  std::size_t members_;
  std::size_t slot_;
  std::size_t part_;
  std::size_t ring_;
  std::size_t slot_stride_;
  std::size_t boards_;
  std::size_t slots_;
  std::size_t stages_;
  std::size_t rings_;
  std::size_t bytes_;
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
              std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(sizeof(Slot) == kLine && sizeof(Post) <= 512);

}  // namespace jackal::collectives::shm
