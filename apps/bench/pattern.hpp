// Contents of buffers that give a wrong result away: they differ between ranks and between places, and every
// reduction of them is exact whatever the order of the operands. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/elements.hpp"

namespace jackal::bench {

/// A row of elements that repeats with a period which no power of two divides, so that a chunk put in the
/// wrong place is noticed.
class Pattern {
public:
  static constexpr std::size_t kPeriod = 1021;  // elements; prime

  /// What `rank` contributes to a reduction by `ranks` ranks.
  static Pattern operand(Element element, Reduction reduction, int ranks, int rank);
  /// What that reduction gives.
  static Pattern result(Element element, Reduction reduction, int ranks);
  /// What is only moved; another one for every key.
  static Pattern message(Element element, std::uint64_t key);

  /// Elements first, first + 1, … of the row.
  void fill(void* buffer, std::uint64_t count, std::uint64_t first = 0) const;
  /// How many of `count` elements differ from those.
  std::uint64_t wrong(const void* buffer, std::uint64_t count, std::uint64_t first = 0) const;

private:
  Pattern(Element element, std::vector<std::byte> bytes) : element_(element), bytes_(std::move(bytes)) {}
  bool same(const std::byte* one, const std::byte* other, std::size_t elements) const;

  Element element_;
  std::vector<std::byte> bytes_;  // two periods, so that a period begins anywhere in the first
};

}  // namespace jackal::bench
