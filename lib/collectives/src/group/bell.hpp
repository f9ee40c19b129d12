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
  // A byte is in the pipe. Set after it has been written, so that the one who sleeps is woken at most once
  // too often, and never too rarely.
  std::atomic<bool> rung_ = false;
};

}  // namespace jackal::collectives
