// From a host name to a TCP connection, address by address, within the connect timeout.
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "session.hpp"

namespace jackal::remote {
namespace {

struct AddressListDeleter {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressListDeleter>;

Result<AddressList> look_up(const std::string& host, const std::string& port, int family, int flags,
                            const std::string& name) {
  addrinfo wanted{};
  wanted.ai_family = family;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags;
  addrinfo* list = nullptr;
  const int problem = ::getaddrinfo(host.c_str(), port.empty() ? nullptr : port.c_str(), &wanted, &list);
  if (problem == 0) return AddressList(list);
  const std::string reason = problem == EAI_SYSTEM ? errno_text(errno) : ::gai_strerror(problem);
  return fail({ErrorCode::unreachable, name, fmt::format("cannot look up {}: {}", host, reason),
               "Check the spelling, or give its address as HostName in ~/.ssh/config."});
}

std::string hint_for(int number, const Attempt& attempt) {
  switch (number) {
    case ECONNREFUSED:
      return fmt::format(
          "Nothing listens on port {}: switch on Remote Login there (sshd), or set Port in ~/.ssh/config.",
          attempt.settings.port);
    case EHOSTUNREACH:
    case ENETUNREACH:
      return "Check cable, Wi-Fi and address. If ping and ssh reach it from here, macOS is keeping this "
             "terminal program out: "
             "allow it in System Settings > Privacy & Security > Local Network.";
    default:
      return "Check that the machine is awake and on this network.";
  }
}

/// 0, or the errno with which this address failed.
int connect_within(int fd, const addrinfo& address, std::chrono::steady_clock::time_point deadline) {
  if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return ETIMEDOUT;
    pollfd waiting{fd, POLLOUT, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return errno;
    if (ready == 0) return ETIMEDOUT;
    int number = 0;
    socklen_t size = sizeof number;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size);
    return number;
  }
}

void set_up(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

std::string numeric(const addrinfo& address) {
  char host[NI_MAXHOST] = "";
  ::getnameinfo(address.ai_addr, address.ai_addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  return host;
}

}  // namespace

Result<UniqueFd> connect_tcp(const Attempt& attempt, std::string& address) {
  const HostSettings& settings = attempt.settings;
  const int family = settings.address_family == AddressFamily::inet    ? AF_INET
                     : settings.address_family == AddressFamily::inet6 ? AF_INET6
                                                                       : AF_UNSPEC;
  auto list = look_up(settings.hostname, std::to_string(settings.port), family, 0, attempt.options.name);
  if (!list) return fail(list.error());
  AddressList source;
  if (!settings.bind_address.empty()) {
    auto found = look_up(settings.bind_address, "", family, AI_PASSIVE, attempt.options.name);
    if (!found) return fail(found.error());
    source = std::move(*found);
  }
  std::chrono::milliseconds limit = attempt.options.connect_timeout;
  if (settings.connect_timeout) limit = *settings.connect_timeout;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  int number = EADDRNOTAVAIL;
  std::string tried;
  for (const addrinfo* candidate = list->get(); candidate != nullptr; candidate = candidate->ai_next) {
    UniqueFd fd(::socket(candidate->ai_family, candidate->ai_socktype, candidate->ai_protocol));
    if (!fd) continue;
    ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
    ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
    if (source && ::bind(fd.get(), source->ai_addr, source->ai_addrlen) != 0) {
      number = errno;
      continue;
    }
    number = connect_within(fd.get(), *candidate, deadline);
    tried += (tried.empty() ? "" : ", ") + numeric(*candidate);
    if (number != 0) continue;
    set_up(fd.get());
    address = numeric(*candidate);
    return fd;
  }
  const ErrorCode code = number == ETIMEDOUT ? ErrorCode::timed_out : ErrorCode::unreachable;
  return fail({code, attempt.options.name,
               fmt::format("cannot connect to {} port {}: {}", tried, settings.port, errno_text(number)),
               hint_for(number, attempt)});
}

}  // namespace jackal::remote
