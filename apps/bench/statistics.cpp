#include "bench/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace jackal::bench {
namespace {

double nearest_rank(const std::vector<double>& sorted, double share) {
  const auto place = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(place, 1) - 1];
}

}  // namespace

Spread spread(std::vector<double> microseconds) {
  if (microseconds.empty()) return {};
  std::sort(microseconds.begin(), microseconds.end());
  const std::size_t middle = microseconds.size() / 2;
  const double median = microseconds.size() % 2 == 1 ? microseconds[middle]
                                                     : (microseconds[middle - 1] + microseconds[middle]) / 2;
  return {median, nearest_rank(microseconds, 0.10), nearest_rank(microseconds, 0.99)};
}

int iterations_for(double wanted_us, double one_us, int least, int most) {
  if (one_us <= 0) return most;
  const double count = std::ceil(wanted_us / one_us);
  return count >= most ? most : std::max(least, static_cast<int>(count));
}

}  // namespace jackal::bench
