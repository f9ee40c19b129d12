#include <sched.h>

#include "transports/shm/cores.hpp"

namespace jackal::collectives::shm {

Processors own_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  Processors made{};
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return {1};
  for (std::size_t i = 0; i < made.size() * 64 && i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &set)) made[i / 64] |= std::uint64_t{1} << i % 64;
  return made;
}

}  // namespace jackal::collectives::shm
