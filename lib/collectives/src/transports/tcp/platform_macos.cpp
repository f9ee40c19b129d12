#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "transports/tcp/platform.hpp"

namespace jackal::collectives {
namespace {

UniqueFd prepared(int fd) {
  UniqueFd owner(fd);
  if (!owner) return owner;
  const int on = 1;
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
  return owner;
}

}  // namespace

UniqueFd open_stream(int family) { return prepared(::socket(family, SOCK_STREAM, 0)); }

UniqueFd accept_stream(int listener) { return prepared(::accept(listener, nullptr, nullptr)); }

int send_flags() { return 0; }

void tune_stream(int fd) {
  const auto set = [fd](int level, int option, int value) {
    ::setsockopt(fd, level, option, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  // The control connections are idle, so this is what notices a machine that is gone.
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPALIVE, 10);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 2);
}

void tune_data(int fd) { tune_stream(fd); }

}  // namespace jackal::collectives
