// Tells how children of ours ended, by their ids, and reaps them; nobody else's children are touched. Belongs
// to the loop's thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>

#include "jackal/remote/loop.hpp"
#include "jackal/remote/node.hpp"

namespace jackal::remote {

/// Listens for as long as it lives. Without it the child goes on, is reaped when it ends, and nobody is told.
class ChildWatch {
public:
  using Ended = std::function<void(ExitStatus)>;

  ChildWatch() = default;
  void reset() { ended_.reset(); }

private:
  friend ChildWatch watch_child(Loop& loop, pid_t child, Ended ended);
  std::shared_ptr<const Ended> ended_;
};

/// Calls `ended` on the loop's thread once the child is gone.
[[nodiscard]] ChildWatch watch_child(Loop& loop, pid_t child, ChildWatch::Ended ended);

/// Reaps it when it ends, and tells nobody.
void forget_child(Loop& loop, pid_t child);

}  // namespace jackal::remote
