// Tells how children of ours ended, by their ids, and reaps them; nobody else's children are touched.
#pragma once

#include <sys/types.h>

#include <functional>

#include "jackal/remote/loop.hpp"
#include "jackal/remote/node.hpp"

namespace jackal::remote {

/// Calls `ended` on the loop's thread once the child is gone.
void watch_child(Loop& loop, pid_t child, std::function<void(ExitStatus)> ended);
/// The child goes on, is reaped when it ends, and nobody is told.
void forget_child(pid_t child);

}  // namespace jackal::remote
