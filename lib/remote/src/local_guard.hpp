// The guard of processes on this machine: a fork of ours that waits for our death on a pipe. Then it ends
// their process groups (TERM, after the grace KILL) and removes the job's directories. Whatever kills us, the
// pipe tells.
//
// Invariants:
// 1. Every child writes its id into the pipe before it becomes a program, so the guard knows each group in
// time.
// 2. A child holds the pipe until then: the guard sees the end only when no unannounced child is left.
// 3. The guard runs in a fork without exec: it calls nothing but async-signal-safe functions.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/base/unique_fd.hpp"

namespace jackal::remote {

class LocalGuard {
public:
  /// Before the directories are made, so that none is ever without a guard. `processes`: how many it may be
  /// told of.
  static Result<LocalGuard> start(const std::vector<std::string>& directories, std::chrono::seconds grace,
                                  std::size_t processes);

  /// For the child itself, between fork and exec.
  void announce_self(int index) const;
  /// Its group is gone, and the number may be used again.
  void forget(int index) const;
  /// Everything has ended and the directory is removed: the guard leaves without doing anything.
  void dismiss();

  pid_t id() const { return id_; }

private:
  LocalGuard(pid_t id, UniqueFd pipe) : id_(id), pipe_(std::move(pipe)) {}

  pid_t id_;
  UniqueFd pipe_;
};

}  // namespace jackal::remote
