// From which size on which way is taken. Bytes are those of the call's whole operand on one rank. All members
// have the same; tests set their own to reach every path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace jackal::collectives::shm {

inline constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

struct Limits {
  /// Up to here a call's data go with its post, in the slot.
  std::size_t slot = 1024;
  /// From here on operands in buffers are used where they are.
  std::size_t buffer_from = 1;
  /// Up to here each member of an all-reduce reads all inputs, where they are used so, and reduces them by
  /// itself.
  std::size_t whole = 0;
  /// Largest part of a window that one step uses.
  std::size_t part = kNever;
};

}  // namespace jackal::collectives::shm
