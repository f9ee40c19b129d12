#include <sys/syscall.h>
#include <unistd.h>

#include "close_descriptors.hpp"

namespace jackal::remote {

void close_descriptors_except(int kept) {
  const auto number = static_cast<unsigned int>(kept);
  const bool below = number == 0 || ::syscall(SYS_close_range, 0U, number - 1, 0U) == 0;
  if (below && ::syscall(SYS_close_range, number + 1, ~0U, 0U) == 0) return;
  // Kernels before 5.9.
  const long most = ::sysconf(_SC_OPEN_MAX);
  for (int fd = 0; fd < most; ++fd) {
    if (fd != kept) ::close(fd);
  }
}

}  // namespace jackal::remote
