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

using Ended = std::vector<std::pair<Listener, ExitStatus>>;

/// False when it has not ended.
bool take_if_ended(pid_t child, Ended& ended) {
  int status = 0;
  if (::waitpid(child, &status, WNOHANG) != child) return false;
  const bool signalled = WIFSIGNALED(status);
  const auto found = children().find(child);
  ended.emplace_back(std::move(found->second),
                     ExitStatus{signalled, signalled ? WTERMSIG(status) : WEXITSTATUS(status)});
  children().erase(found);
  return true;
}

/// Some child of this process that has ended and was not reaped; 0 for none.
pid_t any_ended() {
  siginfo_t info{};
  const bool looked = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
  return looked ? info.si_pid : 0;
}

void reap() {
  Ended ended;
  pid_t next = any_ended();
  // To ask for each by its id takes as many calls as there are children, at the end of each of them.
  while (next > 0 && children().contains(next) && take_if_ended(next, ended)) next = any_ended();
  if (next > 0) {
    // Somebody else's child stands before ours, and stays.
    std::vector<pid_t> ours;
    for (const auto& [child, listener] : children()) ours.push_back(child);
    for (const pid_t child : ours) take_if_ended(child, ended);
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

void forget_child(Loop& loop, pid_t child) { watch_child(loop, child, {}).reset(); }

}  // namespace jackal::remote
