// Who a rank is, as launch says it.
#pragma once

#include <cstdlib>
#include <string>

#include "bench/failure.hpp"
#include "bench/pinning.hpp"
#include "jackal/base/text.hpp"

namespace jackal::bench {

/// A variable that launch sets for every rank. Throws Failure.
inline int from_launch(const char* name) {
  const char* text = std::getenv(name);
  const auto number = parse_integer<int>(text == nullptr ? "" : text);
  if (!number) throw Failure(Reason::usage, std::string(name) + " is not set: start this with launch");
  return *number;
}

/// Before the library starts threads of its own, so that they stay on the rank's core, too.
inline void pin_if(bool wanted) {
  if (!wanted) return;
  if (const std::string problem = pin_to_core(from_launch("JACKAL_LOCAL_RANK")); !problem.empty()) {
    throw Failure(Reason::usage, "--pin: " + problem);
  }
}

}  // namespace jackal::bench
