// Heat spreading along a bar that is cut into one piece a rank: before every step each rank swaps the cells
// at its edges with its neighbours.  Try:  launch -n 4 -- halo
#include <jackal/collectives.h>

#include <cstdio>
#include <vector>

int main() {
  try {
    jackal::Group group = jackal::init();
    const int left = (group.rank() + group.size() - 1) % group.size();  // the bar is a ring
    const int right = (group.rank() + 1) % group.size();

    constexpr std::size_t kCells = 1000;
    std::vector<double> bar(kCells + 2);  // with a cell of the neighbour's at both ends
    std::vector<double> next(bar.size());
    if (group.rank() == 0) bar[kCells / 2] = 1000.0;

    for (int step = 0; step < 500; ++step) {
      constexpr auto kDouble = jackal::Dtype::float64;
      group.sendrecv(&bar[1], 1, left, &bar[kCells + 1], 1, right, kDouble);
      group.sendrecv(&bar[kCells], 1, right, &bar[0], 1, left, kDouble);
      for (std::size_t i = 1; i <= kCells; ++i)
        next[i] = bar[i] + 0.25 * (bar[i - 1] - 2 * bar[i] + bar[i + 1]);
      bar.swap(next);
    }

    // No heat is lost, whoever has it by now.
    double heat = 0;
    for (std::size_t i = 1; i <= kCells; ++i) heat += bar[i];
    group.all_sum(&heat, &heat, 1, jackal::Dtype::float64);
    std::printf("rank %d of %d: heat = %.6f\n", group.rank(), group.size(), heat);
    return std::fflush(stdout) == 0 ? 0 : 1;
  } catch (const jackal::Error& error) {
    std::fprintf(stderr, "halo: %s\n", error.what());
    return 1;
  }
}
