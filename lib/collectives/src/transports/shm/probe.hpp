// What is found out about the machine when members meet, and the limits that follow.
#pragma once

#include <chrono>
#include <string>

#include "transports/shm/limits.hpp"
#include "transports/shm/room.hpp"

namespace jackal::collectives::shm {

struct Findings {
  bool crowded = false;  // more ranks than cores
  /// A cache line from one member to another and back; 0: not measured.
  std::chrono::nanoseconds round_trip{0};
  bool far() const;
};

/// Bounces a line between the first two members; they call it at the same time, others get 0 at once. Takes a
/// few milliseconds at most.
std::chrono::nanoseconds measure_round_trip(const Room& room);

/// Pure.
Limits limits_for(const Findings& findings, const Layout& layout);

/// For a person.
std::string text_of(const Findings& findings);

}  // namespace jackal::collectives::shm
