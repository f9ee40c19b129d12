// What many iterations of one call come to. Pure.
#pragma once

#include <vector>

namespace jackal::bench {

struct Spread {
  double median_us = 0;
  double p10_us = 0;  // a tenth of the iterations took at most this
  double p99_us = 0;
  bool operator==(const Spread&) const = default;
};

/// Of the iterations' times, in any order; all zero when there are none. Percentiles are values that were
/// measured (nearest rank); the median of an even number is the mean of the two in the middle.
Spread spread(std::vector<double> microseconds);

/// How many iterations make up `wanted_us` when one takes `one_us`; from `least` to `most`.
int iterations_for(double wanted_us, double one_us, int least, int most);

}  // namespace jackal::bench
