// The processors that this process may use.
#pragma once

#include <array>
#include <cstdint>

namespace jackal::collectives::shm {

/// One bit each; those beyond 1,024 do not count.
using Processors = std::array<std::uint64_t, 16>;

Processors own_processors();

}  // namespace jackal::collectives::shm
