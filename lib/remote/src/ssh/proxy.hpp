// A command that carries the connection (ProxyCommand, or ssh -W through a jump host), in a session of its
// own, so that it has no terminal to ask on and a Ctrl-C does not reach it. It ends with us: a client that is
// still on its way would not see the end of its input.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "../local_guard.hpp"
#include "jackal/base/error.hpp"
#include "jackal/base/unique_fd.hpp"

namespace jackal::remote {

class ProxyCommand {
public:
  /// Runs `command` with sh.
  static Result<std::unique_ptr<ProxyCommand>> start(const std::string& command);
  ~ProxyCommand();
  ProxyCommand(const ProxyCommand&) = delete;
  ProxyCommand& operator=(const ProxyCommand&) = delete;

  /// Our end; the caller takes it over.
  int take_socket() { return socket_.release(); }
  /// The end of what it has said on standard error so far.
  std::string complaints();

private:
  ProxyCommand() = default;
  void end_child();

  std::optional<LocalGuard> guard_;
  pid_t child_ = -1;
  UniqueFd socket_;
  UniqueFd stderr_;  // a file of no name
};

}  // namespace jackal::remote
