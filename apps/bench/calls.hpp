// One size of one operation: its buffers' places and contents, and the call itself.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bench/options.hpp"
#include "bench/pattern.hpp"
#include "jackal/collectives.h"

namespace jackal::bench {

class Case {
public:
  /// `in` and `out` hold what `extent` says and outlive this; in place, `out` alone holds both.
  Case(Group& group, const Options& options, const Extent& extent, std::byte* in, std::byte* out);

  void write_input() const;
  /// Garbage where the result goes, as far as no input is there.
  void spoil_output() const;
  void call() const;
  /// How many elements of this rank's result are not what they must be.
  std::uint64_t wrong() const;

private:
  bool is_root() const;

  Group& group_;
  const Options& options_;
  Extent extent_;
  std::byte* in_;
  std::byte* out_;
  CallOptions call_options_;
  std::vector<Pattern> input_;     // one for the whole of it, or one a chunk
  std::vector<Pattern> expected_;  // the same; empty where this rank gets nothing
};

}  // namespace jackal::bench
