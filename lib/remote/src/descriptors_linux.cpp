#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptors.hpp"

namespace jackal::remote {

DescriptorPair open_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

DescriptorPair open_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return {};
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UniqueFd open_socket(int family, int type, int protocol) {
  return UniqueFd(::socket(family, type | SOCK_CLOEXEC, protocol));
}

UniqueFd open_terminal_controller() { return UniqueFd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)); }

UniqueFd open_unnamed_file() { return UniqueFd(::memfd_create("jackal", MFD_CLOEXEC)); }

}  // namespace jackal::remote
