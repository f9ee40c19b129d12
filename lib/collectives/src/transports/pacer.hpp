// How a wait passes its time: it spins while cores are to spare, yields when they are not, looks around now
// and then, and says when it is time to sleep in the kernel. One object per wait, or reset between waits.
// Cores are to spare when the job has no more ranks here than there are cores, and no other program has taken
// one from a wait of this process just now.
#pragma once

#include <cstdint>

#include "error.hpp"
#include "transports/watch.hpp"

namespace jackal::collectives {

/// How many ranks share the cores of this machine; decided once per group.
struct Crowding {
  int ranks_here = 1;  // ranks of the job on this host
  int cores = 1;       // processors this process may use
  bool crowded() const { return ranks_here > cores; }
};

class Pacer {
public:
  Pacer(Watch& watch, const Crowding& crowding)
      : watch_(watch), crowded_(crowding.crowded()), careful_(crowded_) {}

  /// Nothing has come: passes a very short time. Throws what Watch::look() throws. `spins`: how many looks at
  /// a line of memory the caller's own look has cost; system calls cost dozens.
  void pause(std::uint32_t spins = 1);
  /// Something has come.
  void reset() {
    rounds_ = 0;
    waited_ = {};
  }
  /// True once waiting on in this way costs more than sleeping would; who cannot sleep just goes on pausing.
  /// `woken`: who sleeps is woken by what it waits for. Else only time ends its sleep, and while other
  /// programs return the core soon it goes on yielding for longer.
  bool weary(bool woken = true) const;
  /// For who sleeps by itself: looks around now.
  void look();

private:
  Watch& watch_;
  const bool crowded_;
  bool careful_;  // no cores are to spare
  std::uint32_t rounds_ = 0;
  Clock::time_point since_{};   // of the first round
  Clock::time_point looked_{};  // the last look(), or the first round
  Clock::duration waited_{};    // since the first round, when the clock was last read
};

}  // namespace jackal::collectives
