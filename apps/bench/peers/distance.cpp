// How far apart two cores are: passes a cache line to and fro between them for a while and prints the median
// round trip in nanoseconds. Virtual machines move their cores about, and everything that goes through shared
// memory moves with them.
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kRoundTrips = 1000;  // a sample; one is too short for the clock

struct alignas(128) Line {
  std::atomic<int> value{0};
};
Line line;

bool pin(int core) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(core), &one);
  return sched_setaffinity(0, sizeof one, &one) == 0;
}

// Odd numbers are ours to answer; a negative one is the end.
void answer(int core) {
  pin(core);
  for (int expected = 1;; expected += 2) {
    int seen = 0;
    while ((seen = line.value.load(std::memory_order_acquire)) != expected) {
      if (seen < 0) return;
    }
    line.value.store(expected + 1, std::memory_order_release);
    if (expected + 2 > 2 * kRoundTrips) expected = -1;
  }
}

double sample() {
  const auto start = Clock::now();
  for (int i = 0; i < kRoundTrips; ++i) {
    line.value.store(2 * i + 1, std::memory_order_release);
    while (line.value.load(std::memory_order_acquire) != 2 * i + 2) {
    }
  }
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / kRoundTrips;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc == 2 ? std::atof(argv[1]) : 0;
  if (seconds <= 0 || seconds > 60) {
    std::fprintf(stderr, "usage: distance SECONDS\n");
    return 64;
  }
  if (!pin(0)) {
    std::fprintf(stderr, "distance: core 0 is not ours\n");
    return 69;
  }
  std::thread other(answer, 1);
  std::vector<double> samples;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  do {
    samples.push_back(sample());
  } while (Clock::now() < end);
  line.value.store(-1, std::memory_order_release);
  other.join();
  std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2),
                   samples.end());
  std::printf("%.1f\n", samples[samples.size() / 2]);
}
