#include <unistd.h>

#include "close_descriptors.hpp"

namespace jackal::remote {

void close_descriptors_except(int kept) {
  const int most = ::getdtablesize();
  for (int fd = 0; fd < most; ++fd) {
    if (fd != kept) ::close(fd);
  }
}

}  // namespace jackal::remote
