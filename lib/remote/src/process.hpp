// Starts a process of this machine in a session of its own. The only user of Boost.Process, so that Debian's
// v1 and Homebrew's v2 differ in one file. The caller waits for the child, by its id.
#pragma once

#include <sys/types.h>

#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/base/unique_fd.hpp"

namespace jackal::remote {

struct SpawnRequest {
  std::vector<std::string>
      argv;  // argv[0] without a slash is looked up in the PATH that the program will have
  std::vector<std::pair<std::string, std::string>> environment{};  // added to ours; later entries win
  std::string directory{};                                         // empty: ours
  std::array<int, 3> descriptors{};   // what becomes stdin, stdout and stderr; borrowed
  bool controlling_terminal = false;  // stdin is a terminal that the new session takes
  std::function<void()> in_child{};   // just before the program begins: async-signal-safe calls only
};

/// The child leads a new session and process group, with all signals at their defaults and no other
/// descriptor of ours. A file without "#!" that the kernel does not take is given to sh, as a shell would.
/// Where it cannot be started, the error's code is not_found (nothing of that name), io, or unreachable: this
/// machine lacks what any program would need.
Result<pid_t> spawn(const SpawnRequest& request);

/// The PATH in which the first word was not found; empty when it was, or has a slash.
std::string path_searched_in_vain(const SpawnRequest& request);

/// What this machine could not do for want of descriptors, processes or memory, and which limit says so; its
/// code is unreachable.
Error shortage(const std::string& attempt, int number);

struct Pipe {
  UniqueFd read, write;  // both close-on-exec
};
Result<Pipe> make_pipe();

void set_nonblocking(int fd);

}  // namespace jackal::remote
