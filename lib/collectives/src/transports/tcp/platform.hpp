// The few socket calls that Linux and macOS spell differently.
#pragma once

#include "jackal/base/unique_fd.hpp"

namespace jackal::collectives {

/// A stream socket: non-blocking, closed on exec, never raising SIGPIPE. Empty with errno set on failure.
UniqueFd open_stream(int family);

/// The next connection of `listener`, with the same properties. Empty with errno set when there is none.
UniqueFd accept_stream(int listener);

/// Flags that every send needs so that a lost peer gives EPIPE instead of SIGPIPE.
int send_flags();

/// Small messages leave at once, and a machine that vanished without a word is noticed within about 20 s.
void tune_stream(int fd);

/// The same for a connection that carries data: what makes it fast.
void tune_data(int fd);

}  // namespace jackal::collectives
