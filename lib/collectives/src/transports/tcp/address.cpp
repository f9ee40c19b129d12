#include "transports/tcp/address.hpp"

#include <net/if.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <future>
#include <memory>
#include <thread>

#include "jackal/base/text.hpp"

namespace jackal::collectives {
namespace {

Resolved ask(const HostPort& where, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found);
  if (failed != 0) return {{}, ::gai_strerror(failed)};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  Resolved resolved;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next)
    if (one->ai_family == AF_INET || one->ai_family == AF_INET6)
      resolved.addresses.emplace_back(one->ai_addr, one->ai_addrlen);
  if (resolved.addresses.empty()) resolved.problem = "no IPv4 or IPv6 address";
  return resolved;
}

}  // namespace

std::optional<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_integer<std::uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (!port || *port == 0) return std::nullopt;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  if (host.empty() || host.find_first_of(std::string_view("[] \t\n\0", 6)) != std::string_view::npos)
    return std::nullopt;
  return HostPort{std::string(host), *port};
}

SocketAddress::SocketAddress(const sockaddr* address, socklen_t size)
    : size_(std::min<socklen_t>(size, sizeof storage_)) {
  std::memcpy(&storage_, address, size_);
}

SocketAddress SocketAddress::of(const Endpoint& endpoint, const SocketAddress& near) {
  SocketAddress made;
  if (endpoint.address.size() == 4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, endpoint.address.data(), 4);
    made = SocketAddress(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    std::memcpy(&v6.sin6_addr, endpoint.address.data(), 16);
    made = SocketAddress(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
    made.set_scope_of(near);
  }
  made.set_port(endpoint.port);
  return made;
}

SocketAddress SocketAddress::any(int family) {
  if (family == AF_INET6) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_any;
    return {reinterpret_cast<const sockaddr*>(&v6), sizeof v6};
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_ANY);
  return {reinterpret_cast<const sockaddr*>(&v4), sizeof v4};
}

SocketAddress SocketAddress::local_of(int fd) {
  SocketAddress made;
  made.size_ = sizeof made.storage_;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&made.storage_), &made.size_) != 0) made.size_ = 0;
  return made;
}

SocketAddress SocketAddress::remote_of(int fd) {
  SocketAddress made;
  made.size_ = sizeof made.storage_;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&made.storage_), &made.size_) != 0) made.size_ = 0;
  return made;
}

Endpoint SocketAddress::endpoint() const {
  Endpoint made;
  if (family() == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage_);
    made.address.assign(reinterpret_cast<const char*>(&v4.sin_addr), 4);
    made.port = ntohs(v4.sin_port);
  } else {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage_);
    made.address.assign(reinterpret_cast<const char*>(&v6.sin6_addr), 16);
    made.port = ntohs(v6.sin6_port);
  }
  return made;
}

void SocketAddress::set_port(std::uint16_t port) {
  if (family() == AF_INET) {
    reinterpret_cast<sockaddr_in&>(storage_).sin_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in6&>(storage_).sin6_port = htons(port);
  }
}

void SocketAddress::set_scope(const std::string& interface) {
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage_);
  if (family() != AF_INET6 || !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) return;
  const unsigned index = ::if_nametoindex(interface.c_str());
  v6.sin6_scope_id = index != 0 ? index : parse_integer<std::uint32_t>(interface).value_or(0);
}

void SocketAddress::set_scope_of(const SocketAddress& near) {
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage_);
  if (family() != AF_INET6 || near.family() != AF_INET6 || !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) return;
  v6.sin6_scope_id = reinterpret_cast<const sockaddr_in6&>(near.storage_).sin6_scope_id;
}

std::string SocketAddress::text() const {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (size_ == 0 || ::getnameinfo(get(), size_, host.data(), host.size(), port.data(), port.size(),
                                  NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "an unknown address";
  const std::string name = host.data();
  return (name.find(':') == std::string::npos ? name : "[" + name + "]") + ":" + port.data();
}

Resolved look_up_within(Deadline deadline, std::function<Resolved()> look_up) {
  std::promise<Resolved> promise;
  std::future<Resolved> found = promise.get_future();
  std::thread([promise = std::move(promise), look_up = std::move(look_up)]() mutable {
    promise.set_value(look_up());
  }).detach();
  if (found.wait_until(deadline) == std::future_status::ready) return found.get();
  return {{}, "the name service did not answer in time; give a numeric address"};
}

Resolved resolve(const HostPort& where, Deadline deadline) {
  Resolved numeric = ask(where, AI_NUMERICHOST);
  if (!numeric.addresses.empty()) return numeric;
  return look_up_within(deadline, [where] { return ask(where, 0); });
}

}  // namespace jackal::collectives
