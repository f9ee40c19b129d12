// Where a socket listens or connects to: IPv4 and IPv6 alike.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/messages.hpp"
#include "error.hpp"

namespace jackal::collectives {

struct HostPort {
  std::string host;  // a name or a numeric address, without brackets
  std::uint16_t port = 0;
};

/// "10.0.0.1:5000", "node7:5000", "[fe80::1%en0]:5000"; nullopt for anything else, for port 0, and for an
/// IPv6 address without brackets, whose port could not be told from it.
std::optional<HostPort> parse_host_port(std::string_view text);

class SocketAddress {
public:
  SocketAddress() = default;
  SocketAddress(const sockaddr* address, socklen_t size);

  /// The address of `endpoint`, with the interface of `near` where it is a link-local one.
  static SocketAddress of(const Endpoint& endpoint, const SocketAddress& near);
  /// Every address of this host, any free port.
  static SocketAddress any(int family);
  static SocketAddress local_of(int fd);   // getsockname
  static SocketAddress remote_of(int fd);  // getpeername

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }
  int family() const { return storage_.ss_family; }

  Endpoint endpoint() const;
  void set_port(std::uint16_t port);
  /// The interface of a link-local IPv6 address, by its name or number; others have none.
  void set_scope(const std::string& interface);
  void set_scope_of(const SocketAddress& near);
  std::string text() const;  // "10.0.0.1:5000", "[::1]:5000"

private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

struct Resolved {
  std::vector<SocketAddress> addresses;
  std::string problem;  // set when there is none
};

/// Every address of `where`. A numeric address needs no name service; a name has time until the deadline.
Resolved resolve(const HostPort& where, Deadline deadline);

/// What `look_up` finds, if it does in time. Nothing interrupts the system's resolver: past the deadline it
/// goes on in a thread of its own, and nobody waits for it.
Resolved look_up_within(Deadline deadline, std::function<Resolved()> look_up);

}  // namespace jackal::collectives
