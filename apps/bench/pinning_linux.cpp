#include <sched.h>

#include <cerrno>
#include <system_error>

#include "bench/pinning.hpp"

namespace jackal::bench {

std::string pin_to_core(int index) {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return std::generic_category().message(errno);
  int left = index % CPU_COUNT(&allowed);
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &allowed) || left-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    return ::sched_setaffinity(0, sizeof one, &one) == 0 ? "" : std::generic_category().message(errno);
  }
  return "no core is left to this process";
}

}  // namespace jackal::bench
