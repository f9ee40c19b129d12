// From a host name to a TCP connection, address by address, within the connect timeout.
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "../descriptors.hpp"
#include "../process.hpp"
#include "session.hpp"

namespace jackal::remote {
namespace {

struct AddressListDeleter {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressListDeleter>;

Error gave_up(const Attempt& attempt) { return {ErrorCode::timed_out, attempt.options.name, "gave up", ""}; }

int family_of(const HostSettings& settings) {
  switch (settings.address_family) {
    case AddressFamily::inet:
      return AF_INET;
    case AddressFamily::inet6:
      return AF_INET6;
    case AddressFamily::any:
      break;
  }
  return AF_UNSPEC;
}

std::string look_up_hint(int family) {
  if (family == AF_UNSPEC) return "Check the spelling, or give its address as HostName in ~/.ssh/config.";
  return fmt::format(
      "Only IPv{} is looked for, because ~/.ssh/config says AddressFamily {}. Check that and the spelling.",
      family == AF_INET ? 4 : 6, family == AF_INET ? "inet" : "inet6");
}

Result<AddressList> look_up(const std::string& host, const std::string& port, int flags, Attempt& attempt) {
  const int family = family_of(attempt.settings);
  addrinfo wanted{};
  wanted.ai_family = family;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags;
  addrinfo* list = nullptr;
  attempt.cancel.begin_look_up();
  const int problem = ::getaddrinfo(host.c_str(), port.empty() ? nullptr : port.c_str(), &wanted, &list);
  const int number = errno;
  AddressList found(problem == 0 ? list : nullptr);
  if (!attempt.cancel.end_look_up()) return fail(gave_up(attempt));
  if (found) return found;
  const std::string reason = problem == EAI_SYSTEM ? errno_text(number) : ::gai_strerror(problem);
  return fail({ErrorCode::unreachable, attempt.options.name,
               fmt::format("cannot look up {}: {}", host, reason), look_up_hint(family)});
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
int connect_within(int fd, const addrinfo& address, std::chrono::steady_clock::time_point deadline,
                   int wake_fd) {
  if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return ETIMEDOUT;
    pollfd waiting[] = {{fd, POLLOUT, 0}, {wake_fd, POLLIN, 0}};
    const int ready = ::poll(waiting, 2, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return errno;
    if (ready == 0) return ETIMEDOUT;
    if (waiting[1].revents != 0) return ECANCELED;
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
  // The kernel would take megabytes ahead of a slow line, and a heartbeat would come after them.
  const int most_unsent_bytes = 128 * 1024;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most_unsent_bytes, sizeof most_unsent_bytes);
}

std::ptrdiff_t count(const addrinfo* list) {
  std::ptrdiff_t length = 0;
  for (; list != nullptr; list = list->ai_next) ++length;
  return length;
}

std::string numeric(const addrinfo& address) {
  char host[NI_MAXHOST] = "";
  ::getnameinfo(address.ai_addr, address.ai_addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  return host;
}

}  // namespace

Result<UniqueFd> connect_tcp(Attempt& attempt, std::string& address) {
  const HostSettings& settings = attempt.settings;
  auto list = look_up(settings.hostname, std::to_string(settings.port), 0, attempt);
  if (!list) return fail(list.error());
  AddressList source;
  if (!settings.bind_address.empty()) {
    auto found = look_up(settings.bind_address, "", AI_PASSIVE, attempt);
    if (!found) return fail(found.error());
    source = std::move(*found);
  }
  std::chrono::milliseconds limit = attempt.options.connect_timeout;
  if (settings.connect_timeout) limit = *settings.connect_timeout;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  int number = EADDRNOTAVAIL;
  std::string tried;
  std::ptrdiff_t untried = count(list->get());
  for (const addrinfo* candidate = list->get(); candidate != nullptr; candidate = candidate->ai_next) {
    // An address that answers nothing leaves its share of the time to the others.
    const auto now = std::chrono::steady_clock::now();
    const auto until = now + (deadline - now) / untried--;
    tried += (tried.empty() ? "" : ", ") + numeric(*candidate);
    UniqueFd fd = open_socket(candidate->ai_family, candidate->ai_socktype, candidate->ai_protocol);
    if (!fd) {
      number = errno;
      continue;
    }
    set_nonblocking(fd.get());
    if (source && ::bind(fd.get(), source->ai_addr, source->ai_addrlen) != 0) {
      number = errno;
      continue;
    }
    number = connect_within(fd.get(), *candidate, until, attempt.cancel.wake_fd());
    if (number == ECANCELED) return fail(gave_up(attempt));
    if (number != 0) continue;
    set_up(fd.get());
    address = numeric(*candidate);
    return fd;
  }
  const ErrorCode code = number == ETIMEDOUT ? ErrorCode::timed_out : ErrorCode::unreachable;
  const std::string from = settings.bind_address.empty() ? "" : " from " + settings.bind_address;
  return fail(
      {code, attempt.options.name,
       fmt::format("cannot connect{} to {} port {}: {}", from, tried, settings.port, errno_text(number)),
       hint_for(number, attempt)});
}

std::string words_of_a_stranger(Attempt& attempt) {
  std::string address;
  const auto fd = connect_tcp(attempt, address);
  if (!fd) return "";
  constexpr std::string_view kGreeting = "SSH-2.0-jackal\r\n";  // many speak only when they are spoken to
  if (::send(fd->get(), kGreeting.data(), kGreeting.size(), 0) < 0) return "";
  pollfd waiting[] = {{fd->get(), POLLIN, 0}, {attempt.cancel.wake_fd(), POLLIN, 0}};
  constexpr int kPatienceMs = 1000;
  if (::poll(waiting, 2, kPatienceMs) <= 0 || waiting[1].revents != 0) return "";
  char bytes[60];
  const ssize_t got = ::recv(fd->get(), bytes, sizeof bytes, 0);
  std::string words(bytes, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  words.erase(std::min(words.find_first_of("\r\n"), words.size()));
  for (char& c : words) {
    if (c < ' ' || c > '~') c = '.';
  }
  // sshd takes leave so when it has too many logins at a time.
  return words.starts_with("SSH-") || words.starts_with("Exceeded MaxStartups") ? "" : words;
}

}  // namespace jackal::remote
