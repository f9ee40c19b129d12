// Whether the processors of two ranks share a cache, judged by how long a line takes from one to the other.
// That may change while a job runs, as machines move their virtual processors.
#pragma once

#include <algorithm>
#include <chrono>

namespace jackal::collectives::shm {

class Distance {
public:
  explicit Distance(bool far) : score_(far ? kMost : -kMost) {}

  bool far() const { return score_ > 0; }

  /// One line, fetched from the peer, with reading the clock. A single long one is an interruption.
  void add(std::chrono::nanoseconds line) {
    score_ = std::clamp(score_ + (line > kFarLine ? 1 : -1), -kMost, kMost);
  }

private:
  static constexpr int kMost = 3;
  static constexpr std::chrono::nanoseconds kFarLine{90};
  int score_;
};

}  // namespace jackal::collectives::shm
