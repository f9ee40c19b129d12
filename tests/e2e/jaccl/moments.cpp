// A program for JACCL that takes its group from the environment: mean, spread and extremes of numbers that no
// rank has all of.
#include <jaccl/jaccl.h>
#include <jaccl/types.h>

#include <cmath>
#include <iostream>
#include <vector>

int main() {
  auto group = jaccl::init();
  if (!group) {
    std::cerr << "no group\n";
    return 3;
  }
  const int rank = group->rank();
  const int size = group->size();

  // Rank r has 1000 r + 1 … 1000 (r + 1).
  std::vector<double> numbers(1000);
  double sums[2] = {};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = 1000.0 * rank + static_cast<double>(i) + 1;
    sums[0] += numbers[i];
    sums[1] += numbers[i] * numbers[i];
  }
  group->all_sum(sums, sums, sizeof(sums), jaccl::Float64);
  const double count = 1000.0 * size;
  const double mean = sums[0] / count;

  float most = static_cast<float>(numbers.back());
  float least = static_cast<float>(numbers.front());
  group->all_max(&most, &most, sizeof(most), jaccl::Float32);
  group->all_min(&least, &least, sizeof(least), jaccl::Float32);

  std::vector<jaccl::float16_t> halves(100, jaccl::float16_t(0.25f));
  group->all_sum(halves.data(), halves.data(), halves.size() * sizeof(jaccl::float16_t), jaccl::Float16);
  std::vector<jaccl::bfloat16_t> brains(100, jaccl::bfloat16_t(static_cast<float>(rank)));
  group->all_max(brains.data(), brains.data(), brains.size() * sizeof(jaccl::bfloat16_t), jaccl::BFloat16);

  jaccl::complex64_t turn(static_cast<float>(rank), 1);
  jaccl::complex64_t furthest;
  group->all_max(&turn, &furthest, sizeof(turn), jaccl::Complex64);

  std::cout << "rank " + std::to_string(rank) + " of " + std::to_string(size) + ": mean " +
                   std::to_string(mean) + " spread " +
                   std::to_string(std::sqrt(sums[1] / count - mean * mean)) + " from " +
                   std::to_string(least) + " to " + std::to_string(most) + " halves " +
                   std::to_string(halves[99] + brains[99]) + " complex " + std::to_string(furthest.real()) +
                   "\n";
}
