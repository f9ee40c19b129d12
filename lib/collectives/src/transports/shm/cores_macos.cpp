#include <thread>

#include "transports/shm/cores.hpp"

namespace jackal::collectives::shm {

// Nothing is bound to processors there.
Processors own_processors() {
  Processors made{};
  for (unsigned i = 0; i < std::thread::hardware_concurrency() && i < made.size() * 64; ++i)
    made[i / 64] |= std::uint64_t{1} << i % 64;
  return made;
}

}  // namespace jackal::collectives::shm
