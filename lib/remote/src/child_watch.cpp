#include "child_watch.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <map>

namespace jackal::remote {
namespace {

using Children = std::map<pid_t, std::function<void(ExitStatus)>>;

Children& children() {
  static Children children;  // the loop's thread alone
  return children;
}

void reap() {
  std::vector<std::pair<std::function<void(ExitStatus)>, ExitStatus>> ended;
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
  for (const auto& [tell, status] : ended) {
    if (tell) tell(status);
  }
}

}  // namespace

void watch_child(Loop& loop, pid_t child, std::function<void(ExitStatus)> ended) {
  loop.on_signal(SIGCHLD, reap);
  children()[child] = std::move(ended);
  // It may have ended before anybody listened for SIGCHLD.
  loop.post(reap);
}

void forget_child(pid_t child) {
  const auto found = children().find(child);
  if (found != children().end()) found->second = nullptr;
}

}  // namespace jackal::remote
