// Meets the other ranks and measures: the part of jackal-bench that runs the library.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/options.hpp"
#include "bench/row.hpp"

namespace jackal::bench {

/// What rank 0 hears, as it becomes known; the other ranks hear nothing.
struct Listener {
  std::function<void(int ranks)> begins;
  std::function<void(const Row& row)> row;
  std::function<void(const std::string& text)> explanation;  // of one size, after all rows
};

/// True when no result was wrong, which every rank knows. Throws Failure.
bool measure(const Options& options, const Listener& listener);

}  // namespace jackal::bench
