// Where the blocks of a program lie in memory, slice by slice. Pure arithmetic.
//
// Slice s holds elements s * slice … of every chunk, `slice` at most; within a slice each chunk is cut into
// `parts` blocks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "schedules/schedule.hpp"

namespace jackal::collectives {

/// Elements that lie side by side.
struct Segment {
  std::byte* at = nullptr;
  std::size_t elements = 0;
};

class Layout {
public:
  /// `counts`: elements of each chunk of the output (all_gather_v); empty: `count` in each. `slice`: elements
  /// of a chunk in one slice, at least 1.
  void set(int parts, std::size_t element_bytes, std::size_t count, std::span<const std::size_t> counts,
           std::size_t slice);

  std::size_t element_bytes() const { return element_; }
  std::size_t slices() const { return slices_; }  // at least 1, for what is empty has headers to exchange
  /// Elements of the longest chunk in one slice.
  std::size_t slice_longest() const { return std::min(slice_, longest_); }

  /// Where the spaces begin. Input and output are of the whole vector, scratch of one slice: chunks of
  /// slice_longest() elements, one behind the other.
  struct Places {
    std::byte* input = nullptr;  // not written to
    std::byte* output = nullptr;
    std::byte* scratch = nullptr;
  };

  /// The elements of `piece` from its element `skip` on, as far as they lie side by side; none behind its
  /// end.
  Segment segment(const Piece& piece, std::size_t slice, const Places& places, std::size_t skip) const;
  std::size_t elements(const Piece& piece, std::size_t slice) const;

private:
  struct Range {
    std::size_t begin;
    std::size_t end;
  };
  std::size_t chunk_total(Space space, std::size_t chunk) const {
    return space == Space::output && !counts_.empty() ? counts_[chunk] : count_;
  }
  std::size_t chunk_elements(Space space, std::size_t chunk, std::size_t slice) const {
    const std::size_t total = chunk_total(space, chunk);
    const std::size_t from = slice * slice_;
    return total > from ? std::min(slice_, total - from) : 0;
  }
  /// Of blocks `first` … of a chunk of `elements`.
  Range range(std::size_t elements, std::size_t first, std::size_t blocks) const {
    if (parts_ == 1) return {0, blocks == 0 ? 0 : elements};
    const std::size_t each = elements / parts_;
    const std::size_t longer = elements % parts_;
    const auto start = [&](std::size_t block) { return each * block + std::min(block, longer); };
    return {start(first), start(first + blocks)};
  }
  std::byte* chunk_at(Space space, std::size_t chunk, std::size_t slice, const Places& places) const;

  std::size_t parts_ = 1;
  std::size_t element_ = 1;
  std::size_t count_ = 0;
  std::size_t slice_ = 1;
  std::size_t slices_ = 1;
  std::size_t longest_ = 0;  // elements of a chunk
  std::vector<std::size_t> counts_;
  std::vector<std::size_t> starts_;  // of each chunk, when counts_ are given
};

}  // namespace jackal::collectives
