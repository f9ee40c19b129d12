#include "schedules/layout.hpp"

namespace jackal::collectives {

void Layout::set(int parts, std::size_t element_bytes, std::size_t count, std::span<const std::size_t> counts,
                 std::size_t slice) {
  parts_ = static_cast<std::size_t>(parts);
  element_ = element_bytes;
  count_ = count;
  slice_ = slice;
  counts_.assign(counts.begin(), counts.end());
  starts_.clear();
  std::size_t start = 0;
  longest_ = count;
  for (const std::size_t one : counts_) {
    starts_.push_back(start);
    start += one;
    longest_ = std::max(longest_, one);
  }
  slices_ = std::max<std::size_t>(1, longest_ / slice + (longest_ % slice > 0 ? 1 : 0));
}

std::byte* Layout::chunk_at(Space space, std::size_t chunk, std::size_t slice, const Places& places) const {
  if (space == Space::scratch) return places.scratch + chunk * slice_longest() * element_;
  std::byte* const base = space == Space::input ? places.input : places.output;
  const std::size_t start = space == Space::output && !counts_.empty() ? starts_[chunk] : chunk * count_;
  return base + (start + slice * slice_) * element_;
}

Segment Layout::segment(const Piece& piece, std::size_t slice, const Places& places, std::size_t skip) const {
  auto chunk = static_cast<std::size_t>(piece.first) / parts_;
  std::size_t block = static_cast<std::size_t>(piece.first) % parts_;
  for (auto left = static_cast<std::size_t>(piece.blocks); left > 0; ++chunk, block = 0) {
    const std::size_t here = std::min(left, parts_ - block);
    const Range part = range(chunk_elements(piece.space, chunk, slice), block, here);
    const std::size_t elements = part.end - part.begin;
    if (skip < elements)
      return {chunk_at(piece.space, chunk, slice, places) + (part.begin + skip) * element_, elements - skip};
    skip -= elements;
    left -= here;
  }
  return {};
}

std::size_t Layout::elements(const Piece& piece, std::size_t slice) const {
  auto chunk = static_cast<std::size_t>(piece.first) / parts_;
  std::size_t block = static_cast<std::size_t>(piece.first) % parts_;
  std::size_t sum = 0;
  for (auto left = static_cast<std::size_t>(piece.blocks); left > 0; ++chunk, block = 0) {
    const std::size_t here = std::min(left, parts_ - block);
    const Range part = range(chunk_elements(piece.space, chunk, slice), block, here);
    sum += part.end - part.begin;
    left -= here;
  }
  return sum;
}

}  // namespace jackal::collectives
