#include "child_watch.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <map>
#include <utility>
#include <vector>

namespace jackal::remote {
namespace {

using Listener = std::weak_ptr<const ChildWatch::Ended>;

std::map<pid_t, Listener>& children() {
  static std::map<pid_t, Listener> children;  // the loop's thread alone
  return children;
}

void reap() {
  std::vector<std::pair<Listener, ExitStatus>> ended;
  for (auto child = children().begin(); child != children().end();) {
    int status = 0;
    if (::waitpid(child->first, &status, WNOHANG) != child->first) {
      ++child;
      continue;
    }
    const bool signalled = WIFSIGNALED(status);
    ended.emplace_back(std::move(child->second),
                       ExitStatus{signalled, signalled ? WTERMSIG(status) : WEXITSTATUS(status)});
    child = children().erase(child);
  }
  // Who is told of one end may drop the watch on another.
  for (const auto& [listener, status] : ended) {
    if (const auto tell = listener.lock()) (*tell)(status);
  }
}

}  // namespace

ChildWatch watch_child(Loop& loop, pid_t child, ChildWatch::Ended ended) {
  loop.on_signal(SIGCHLD, reap);
  ChildWatch watch;
  watch.ended_ = std::make_shared<const ChildWatch::Ended>(std::move(ended));
  children()[child] = watch.ended_;
  // It may have ended before anybody listened for SIGCHLD.
  loop.post(reap);
  return watch;
}

}  // namespace jackal::remote
