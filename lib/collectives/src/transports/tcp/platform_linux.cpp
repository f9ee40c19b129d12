#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "transports/tcp/platform.hpp"

namespace jackal::collectives {

UniqueFd open_stream(int family) {
  return UniqueFd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

UniqueFd accept_stream(int listener) {
  return UniqueFd(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int send_flags() { return MSG_NOSIGNAL; }

void tune_stream(int fd) {
  const auto set = [fd](int level, int option, int value) {
    ::setsockopt(fd, level, option, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  // The control connections are idle, so this is what notices a machine that is gone. TCP_USER_TIMEOUT would
  // notice more, but it also ends a connection whose other side is alive and merely not reading yet.
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 2);
}

void tune_data(int fd) { tune_stream(fd); }

}  // namespace jackal::collectives
