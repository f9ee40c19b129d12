// What a blocked operation needs of the rest of the library, and how it passes the time.
#pragma once

#include <span>
#include <string>

namespace jackal::collectives {

/// Implemented by the group (and by tests). One thread.
class Watch {
public:
  virtual ~Watch() = default;

  /// Called every now and then while an operation waits (at least every 10 ms, at most every 20 µs or so):
  /// hears the control connections, checks the deadline, moves point-to-point messages. Throws Error when the
  /// operation cannot be completed any more.
  virtual void look() = 0;

  /// The connection or memory shared with `rank` says it is gone: finds out the best reason and throws Error.
  [[noreturn]] virtual void lost(int rank, const std::string& why) = 0;

  /// Descriptors that are a reason to wake from sleep and look() when readable: the control connections, and
  /// whatever else concerns this group. Valid until the next look().
  virtual std::span<const int> wake_descriptors() = 0;
};

}  // namespace jackal::collectives
