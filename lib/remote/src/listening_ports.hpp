// The TCP ports of this machine that somebody listens on.
#pragma once

#include <cstdint>
#include <vector>

namespace jackal::remote {

/// Without those that the system does not show; never fails.
std::vector<std::uint16_t> listening_ports();

}  // namespace jackal::remote
