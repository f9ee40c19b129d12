// The order in which the transfers of one direction between two ranks travel, and how each is spread over
// the cables of the pair. Sender and receiver compute the same from sizes alone.
//
// Slices go in groups of kWindow. Within a group all slices take the first step before any takes the second,
// so that a slice's step is under way while the next slice's is being computed. Going by (group, step, slice)
// is one order for all ranks, and nothing ever waits for anything behind it in that order: so whatever a
// program may do with one slice, it may do with many.
#pragma once

#include <algorithm>
#include <cstddef>

namespace jackal::collectives {

/// Slices of which all may be under way at once.
inline constexpr std::size_t kWindow = 4;

/// Of each chunk, a slice has so many bytes at most: with kWindow slices it bounds scratch, which may have a
/// chunk for every rank.
inline constexpr std::size_t most_slice_bytes(std::size_t ranks) { return (std::size_t{4} << 20) / ranks; }

/// Pieces of a transfer are not made smaller than this: below, another cable costs more than it carries.
inline constexpr std::size_t kLeastShare = 16 << 10;

/// One transfer after the other.
class Turn {
public:
  Turn() = default;
  /// `steps`: transfers of one slice; at least 1, as are `slices`.
  Turn(std::size_t steps, std::size_t slices, std::size_t window)
      : steps_(steps), slices_(slices), window_(window), width_(std::min(window, slices)) {}

  bool done() const { return first_ >= slices_; }
  std::size_t step() const { return step_; }  // counted among the transfers of a slice
  std::size_t slice() const { return first_ + at_; }
  std::size_t number() const { return number_; }  // counted among all

  void advance() {
    ++number_;
    if (++at_ < width_) return;
    at_ = 0;
    if (++step_ < steps_) return;
    step_ = 0;
    first_ += width_;
    width_ = std::min(window_, slices_ - std::min(first_, slices_));
  }

private:
  std::size_t steps_ = 1;
  std::size_t slices_ = 0;
  std::size_t window_ = 1;
  std::size_t width_ = 0;  // slices of this group
  std::size_t first_ = 0;  // slice of this group
  std::size_t step_ = 0;
  std::size_t at_ = 0;
  std::size_t number_ = 0;
};

/// On how many cables a transfer of so many bytes goes.
inline std::size_t share_count(std::size_t bytes, std::size_t cables) {
  return std::clamp<std::size_t>(bytes / kLeastShare, 1, cables);
}

/// What `cable` carries of transfer `number`: elements begin … end. Small transfers take turns among the
/// cables; an empty one still belongs to one of them.
struct Share {
  bool any = false;
  std::size_t begin = 0;
  std::size_t end = 0;
};

inline Share share_of(std::size_t elements, std::size_t shares, std::size_t number, std::size_t cable,
                      std::size_t cables) {
  const std::size_t place = (cable + cables - number % cables) % cables;
  if (place >= shares) return {};
  const std::size_t each = elements / shares;
  const std::size_t longer = elements % shares;
  const auto start = [&](std::size_t i) { return each * i + std::min(i, longer); };
  return {true, start(place), start(place + 1)};
}

}  // namespace jackal::collectives
