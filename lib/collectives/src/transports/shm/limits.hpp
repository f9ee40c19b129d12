// From which size on which way is taken. Bytes are those of the call's whole operand on one rank. All members
// have the same; tests set their own to reach every path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace jackal::collectives::shm {

struct Limits {
  static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

  /// Up to here a call's data go with its post, in the slot.
  std::size_t slot = 1024;
  /// From here on (and below `pull_until`) inputs are read out of the peer's own memory.
  std::size_t pull_from = kNever;
  std::size_t pull_until = kNever;
  /// The same for results of an all-reduce, out of the peer's `out`.
  std::size_t pull_result_from = kNever;
  /// Up to here each of two members reads all of the other's input and reduces it by itself, when inputs are
  /// pulled out of ordinary memory, or out of buffers.
  std::size_t whole_pull = 0;
  std::size_t whole_buffer = 0;
  /// From here on operands in buffers are used where they are.
  std::size_t buffer_from = 1;
  /// Largest part of a window that one step uses.
  std::size_t part = kNever;
};

}  // namespace jackal::collectives::shm
