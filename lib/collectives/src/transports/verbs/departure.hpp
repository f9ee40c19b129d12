// SIGTERM while RDMA objects exist: what a process strands on a Mac stays until the machine restarts, so they
// are destroyed first. The handler only takes note; each holder's own thread asks due() and destroys what it
// has.
#pragma once

namespace jackal::collectives {

/// Held by whoever has objects. From the first one on SIGTERM waits for all of them, unless the program has a
/// handler of its own or ignores the signal; with the last one it is again as it was.
class Departure {
public:
  Departure();
  /// The holder's objects are gone. Ends the process when the signal has come and no other has any left.
  ~Departure();
  Departure(const Departure&) = delete;
  Departure& operator=(const Departure&) = delete;

  /// The signal has come.
  static bool due();
  /// As the destructor, but waits for the others to end the process.
  [[noreturn]] static void finish();
};

}  // namespace jackal::collectives
