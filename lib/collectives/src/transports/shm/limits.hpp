// From which size on which way is taken. Bytes are those of the call's whole operand on one rank. All members
// have the same; tests set their own to reach every path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace jackal::collectives::shm {

inline constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

/// When members read each other's ordinary memory (by system call) instead of copies in the segment.
struct Pulls {
  /// From here on inputs are read where they are.
  std::size_t from = kNever;
  /// The same for results of an all-reduce, out of the peer's `out`.
  std::size_t result_from = kNever;
  /// Up to here each member reads all inputs and reduces them by itself.
  std::size_t whole = 0;
};

struct Limits {
  /// Up to here a call's data go with its post, in the slot.
  std::size_t slot = 1024;
  /// Where the members' processors share a cache, and where they do not (distance.hpp).
  Pulls near;
  Pulls far;
  /// As Pulls::whole, of inputs in buffers.
  std::size_t whole_buffer = 0;
  /// From here on operands in buffers are used where they are.
  std::size_t buffer_from = 1;
  /// Largest part of a window that one step uses.
  std::size_t part = kNever;
};

}  // namespace jackal::collectives::shm
