// Wakes a thread that sleeps in poll(). Any thread rings; the one that sleeps silences.
#pragma once

#include <atomic>

#include "jackal/base/unique_fd.hpp"

namespace jackal::collectives {

class Bell {
public:
  /// Throws Error (io) when the process has no descriptor left.
  Bell();

  void ring();
  /// Before looking at what it rang for.
  void silence();
  int descriptor() const { return out_.get(); }

private:
  UniqueFd out_;
  UniqueFd in_;
  std::atomic<bool> rung_ = false;  // bell.cpp says what it stands for
};

}  // namespace jackal::collectives
