// Keeps the calling thread on one core.
#pragma once

#include <string>

namespace jackal::bench {

/// The index-th of the cores that this process may use, counted around when there are fewer. Returns what
/// went wrong; empty when nothing did.
std::string pin_to_core(int index);

}  // namespace jackal::bench
