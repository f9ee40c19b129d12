// What a call moves between whom: pure functions of the call, the same on every member.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "group/call.hpp"

namespace jackal::collectives::shm {

/// A call in bytes. `counts` is used by all_gather_v alone.
struct Shape {
  Operation operation{};
  std::size_t members = 1;
  std::size_t root = 0;     // of operations that have one
  std::size_t element = 1;  // bytes of one
  std::size_t bytes = 0;    // of `count` elements; all_gather_v: of the largest count
  std::span<const std::size_t> counts = {};
};

/// What `to` takes of what `from` contributes: where it lies in the input there, and in the output here.
/// Reductions combine the pieces of all members instead of putting them side by side.
struct Piece {
  std::size_t from = 0;
  std::size_t bytes = 0;
  std::size_t to = 0;
};

/// True when all members take the same of a member, so that one copy of it serves all.
inline bool is_common(Operation operation) {
  return operation != Operation::scatter && operation != Operation::all_to_all &&
         operation != Operation::reduce_scatter;
}

/// Bytes of the input of `member`; 0 where it contributes nothing.
std::size_t input_bytes(const Shape& shape, std::size_t member);
/// The most that a member contributes: the same number on all of them.
std::size_t most_bytes(const Shape& shape);
std::size_t output_bytes(const Shape& shape, std::size_t member);
Piece piece_of(const Shape& shape, std::size_t from, std::size_t to);

bool overlap(const std::byte* a, std::size_t a_bytes, const std::byte* b, std::size_t b_bytes);

/// `count` things in `parts` nearly equal parts, each but the last a multiple of `grain`.
struct Part {
  std::size_t first = 0;
  std::size_t count = 0;
};
inline Part part_of(std::size_t count, std::size_t parts, std::size_t index, std::size_t grain) {
  const std::size_t grains = (count + grain - 1) / grain;
  const std::size_t extra = std::min(index, grains % parts);
  const std::size_t first = std::min(count, (grains / parts * index + extra) * grain);
  const std::size_t many = (grains / parts + (index < grains % parts ? 1 : 0)) * grain;
  return {first, std::min(many, count - first)};
}

}  // namespace jackal::collectives::shm
