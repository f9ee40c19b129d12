#include "descriptors.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <atomic>
#include <thread>

#include "support/catch.hpp"

using namespace jackal::remote;

namespace {

bool would_be_inherited(int fd) {
  const int flags = ::fcntl(fd, F_GETFD);
  return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

/// How many descriptors above the standard streams a program started now would inherit.
int inherited() {
  const pid_t child = ::fork();
  if (child == 0) {
    int count = 0;
    for (int fd = 3; fd < 64; ++fd) count += would_be_inherited(fd) ? 1 : 0;
    ::_exit(count);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("whoever forks in another thread inherits nothing, at whatever moment") {
  const int usual = inherited();
  std::atomic<bool> enough{false};
  std::thread opener([&] {
    while (!enough) {
      const auto pipe = open_pipe();
      const auto pair = open_socket_pair();
      const auto socket = open_socket(AF_INET, SOCK_STREAM, 0);
      const auto file = open_unnamed_file();
      const auto terminal = open_terminal_controller();
    }
  });
  int most = usual;
  for (int i = 0; i < 500; ++i) most = std::max(most, inherited());
  enough = true;
  opener.join();
  CHECK(most == usual);
}
