// Whether other programs need the cores that this process waits on, from how long its yields take.
#pragma once

#include <atomic>
#include <chrono>

#include "error.hpp"

namespace jackal::collectives {

/// For all threads of a process, as they share its cores; any of them may call at any time.
class Contention {
public:
  /// A yield that ended at `now` took so long. It returns at once where nobody else waits for the core. Where
  /// somebody does, it takes as long as they work: not long, if they are ranks of other jobs or nodes that
  /// yield, too, and then it pays to go on yielding. A program that works on and on takes a whole slice
  /// instead, and who yields to it gets nothing in return.
  void yielded(Clock::time_point now, Clock::duration took) {
    if (took <= kAlone) return;
    const auto until = took < kSlice ? now + kRemembered : now;
    until_.store(until.time_since_epoch().count(), std::memory_order_relaxed);
  }

  /// Waits had better yield at once, and sleep early.
  bool present(Clock::time_point now) const {
    return now.time_since_epoch().count() < until_.load(std::memory_order_relaxed);
  }

private:
  // Of a yield: more than an interrupt takes; less than schedulers give who works on.
  static constexpr auto kAlone = std::chrono::microseconds(20);
  static constexpr auto kSlice = std::chrono::milliseconds(1);
  static constexpr auto kRemembered = std::chrono::milliseconds(50);

  std::atomic<Clock::rep> until_ = 0;
};

}  // namespace jackal::collectives
