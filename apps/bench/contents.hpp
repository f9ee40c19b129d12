// The buffers of one size: where they lie, what is in them, and what must be in them after the call. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/options.hpp"
#include "bench/pattern.hpp"

namespace jackal::bench {

class Contents {
public:
  /// `in` and `out` hold what `extent` says; in place, `out` alone holds both.
  Contents(const Options& options, const Extent& extent, int ranks, int rank, std::byte* in, std::byte* out);

  /// What the call is given.
  std::byte* in() const { return in_; }
  std::byte* out() const { return out_; }

  void write_input() const;
  /// Garbage where the result goes, as far as no input is there.
  void spoil_output() const;
  /// How many elements of this rank's result are not what they must be.
  std::uint64_t wrong(const std::byte* result) const;

private:
  std::vector<Pattern> input_patterns() const;
  std::vector<Pattern> expected_patterns() const;

  Options options_;
  Extent extent_;
  int ranks_;
  int rank_;
  std::byte* in_;
  std::byte* out_;
  std::vector<Pattern> input_;     // one for the whole of it, or one a chunk
  std::vector<Pattern> expected_;  // the same; empty where this rank gets nothing
};

}  // namespace jackal::bench
