// How anybody's collectives are measured; jackal-bench(1) tells it in words.
#pragma once

#include <functional>
#include <string>

#include "bench/contender.hpp"
#include "bench/options.hpp"
#include "bench/row.hpp"

namespace jackal::bench {

/// What rank 0 hears, as it becomes known; the other ranks hear nothing.
struct Listener {
  std::function<void(const Row& row)> row;
  std::function<void(const std::string& text)> explanation;  // of one size, after all rows
};

/// True when no result was wrong, which every rank knows. Throws what the contender throws.
bool measure(Contender& contender, const Options& options, const Listener& listener);

}  // namespace jackal::bench
