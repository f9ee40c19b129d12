// A connection to this machine that runs its words with a shell of the test's choice: the guard's protocol
// without sshd.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "channel.hpp"

namespace jackal::remote::test {

/// `shell` stands in for /bin/sh. `noise` is printed before the words run, as by a login file. At most
/// `channels` may be open at once, as under sshd's MaxSessions.
struct ShellOptions {
  std::vector<std::string> shell{"/bin/sh"};
  std::string noise;
  std::size_t channels = 10;
};

std::unique_ptr<Connection> connect_shell(Loop& loop, const ShellOptions& options, Connection::Events events);

}  // namespace jackal::remote::test
