// Without pipe2 and SOCK_CLOEXEC a moment remains in which a child of another thread may inherit.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptors.hpp"

namespace jackal::remote {
namespace {

UniqueFd closing(int fd) {
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return UniqueFd(fd);
}

}  // namespace

DescriptorPair open_pipe() {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  return {closing(ends[0]), closing(ends[1])};
}

DescriptorPair open_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return {};
  return {closing(ends[0]), closing(ends[1])};
}

UniqueFd open_socket(int family, int type, int protocol) { return closing(::socket(family, type, protocol)); }

UniqueFd open_terminal_controller() { return closing(::posix_openpt(O_RDWR | O_NOCTTY)); }

UniqueFd open_unnamed_file() {
  char path[] = "/tmp/jackal-XXXXXX";
  UniqueFd fd(::mkostemp(path, O_CLOEXEC));
  if (fd) ::unlink(path);
  return fd;
}

}  // namespace jackal::remote
