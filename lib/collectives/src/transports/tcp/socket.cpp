#include "transports/tcp/socket.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "transports/tcp/platform.hpp"

namespace jackal::collectives {
namespace {

// macOS refuses a single transfer beyond INT_MAX, Linux cuts it.
constexpr std::size_t kTransferLimit = std::size_t{1} << 30;

bool later(int number) { return number == EAGAIN || number == EWOULDBLOCK || number == ENOBUFS; }

}  // namespace

Opened listen_on(const SocketAddress& address) {
  UniqueFd fd = open_stream(address.family());
  if (!fd) return {UniqueFd(), errno};
  const int on = 1;
  // A job that follows another at once must not wait for the old connections' TIME_WAIT.
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.family() == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(fd.get(), address.get(), address.size()) != 0 || ::listen(fd.get(), SOMAXCONN) != 0)
    return {UniqueFd(), errno};
  return {std::move(fd), 0};
}

Opened connect_to(const SocketAddress& address, Deadline deadline) {
  UniqueFd fd = open_stream(address.family());
  if (!fd) return {UniqueFd(), errno};
  if (::connect(fd.get(), address.get(), address.size()) != 0) {
    if (errno != EINPROGRESS && errno != EINTR) return {UniqueFd(), errno};
    if (!wait_for(fd.get(), POLLOUT, deadline)) return {UniqueFd(), ETIMEDOUT};
    int result = 0;
    socklen_t size = sizeof result;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &result, &size) != 0) result = errno;
    if (result != 0) return {UniqueFd(), result};
  }
  // A connection to a free port of this machine can meet itself.
  if (SocketAddress::local_of(fd.get()).endpoint() == SocketAddress::remote_of(fd.get()).endpoint())
    return {UniqueFd(), ECONNREFUSED};
  tune_stream(fd.get());
  return {std::move(fd), 0};
}

Moved send_some(int fd, std::span<const iovec> pieces) {
  std::array<iovec, 16> limited;
  std::size_t used = 0;
  std::size_t room = kTransferLimit;
  for (; used < std::min(pieces.size(), limited.size()) && room > 0; ++used) {
    limited[used] = pieces[used];
    limited[used].iov_len = std::min(limited[used].iov_len, room);
    room -= limited[used].iov_len;
  }
  msghdr message{};
  message.msg_iov = limited.data();
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(used);
  for (;;) {
    const ssize_t sent = ::sendmsg(fd, &message, send_flags());
    if (sent >= 0) return {static_cast<std::size_t>(sent), 0, false};
    if (errno == EINTR) continue;
    return {0, later(errno) ? 0 : errno, false};
  }
}

Moved receive_some(int fd, void* bytes, std::size_t size) {
  for (;;) {
    const ssize_t got = ::recv(fd, bytes, std::min(size, kTransferLimit), 0);
    if (got > 0) return {static_cast<std::size_t>(got), 0, false};
    if (got == 0) return {0, 0, true};
    if (errno == EINTR) continue;
    return {0, later(errno) ? 0 : errno, false};
  }
}

int send_all(int fd, std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const iovec piece = {const_cast<char*>(bytes.data()), bytes.size()};
    const Moved moved = send_some(fd, {&piece, 1});
    if (moved.error != 0) return moved.error;
    bytes.remove_prefix(moved.bytes);
    if (moved.bytes == 0 && !wait_for(fd, POLLOUT, deadline)) return ETIMEDOUT;
  }
  return 0;
}

bool wait_for(int fd, short events, Deadline deadline) {
  for (;;) {
    pollfd entry = {fd, events, 0};
    if (::poll(&entry, 1, poll_milliseconds(deadline)) > 0) return true;
    if (Clock::now() >= deadline) return false;
  }
}

}  // namespace jackal::collectives
