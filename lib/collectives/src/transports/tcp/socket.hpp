// Sockets with deadlines: nothing here waits without one, is stopped by EINTR, or raises SIGPIPE.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string_view>

#include "error.hpp"
#include "jackal/base/unique_fd.hpp"
#include "transports/tcp/address.hpp"

namespace jackal::collectives {

struct Opened {
  UniqueFd fd;    // empty on failure
  int error = 0;  // errno of the failure
};

/// Bound to exactly `address` (port 0: any free one) and listening.
Opened listen_on(const SocketAddress& address);

/// ETIMEDOUT when the deadline passes first.
Opened connect_to(const SocketAddress& address, Deadline deadline);

struct Moved {
  std::size_t bytes = 0;
  int error = 0;     // errno; 0 while the connection is fine
  bool end = false;  // the other side has closed
};

/// As much as goes without waiting; no bytes and no error means "later".
Moved send_some(int fd, std::span<const iovec> pieces);
Moved receive_some(int fd, void* bytes, std::size_t size);

/// All of `bytes`, or the errno that stopped it (ETIMEDOUT at the deadline); 0 when done.
int send_all(int fd, std::string_view bytes, Deadline deadline);

/// Waits until `fd` has one of `events` or is broken; false at the deadline.
bool wait_for(int fd, short events, Deadline deadline);

}  // namespace jackal::collectives
