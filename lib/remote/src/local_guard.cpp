#include "local_guard.hpp"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "close_descriptors.hpp"
#include "process.hpp"
#include "process_title.hpp"

namespace jackal::remote {
namespace {

// Not launch's: `pkill launch` ends launch alone, and then the guard is what is needed.
constexpr const char* kName = "jackal-guard";
constexpr int kDismissed = -1;

/// A message, smaller than PIPE_BUF and so never torn. index kDismissed: leave; group 0: forget.
struct Note {
  int index;
  pid_t group;
};

using Groups = std::vector<pid_t>;  // made before the fork: the guard has a copy of its own

bool signal_all(const Groups& groups, int number) {
  bool any = false;
  for (const pid_t group : groups) {
    if (group > 0 && ::kill(-group, number) == 0) any = true;
  }
  return any;
}

void wait_while_alive(const Groups& groups, long most_seconds) {
  constexpr long kStepMs = 50;
  for (long waited = 0; waited < most_seconds * 1000 && signal_all(groups, 0); waited += kStepMs) {
    const timespec step{0, kStepMs * 1'000'000};
    ::nanosleep(&step, nullptr);
  }
}

[[noreturn]] void guard(int pipe, int ready, Groups& groups, char* const* remove, long grace_seconds) {
  ::setsid();
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP, SIGUSR1, SIGUSR2}) {
    ::signal(number, SIG_IGN);
  }
  while (::write(ready, "", 1) < 0 && errno == EINTR) {
  }
  close_descriptors_except(pipe);  // nobody may wait for the guard to close our streams
  Note note{};
  for (;;) {
    const ssize_t got = ::read(pipe, &note, sizeof note);
    if (got < 0 && errno == EINTR) continue;
    if (got != static_cast<ssize_t>(sizeof note)) break;
    if (note.index == kDismissed) ::_exit(0);
    groups[static_cast<std::size_t>(note.index)] = note.group;
  }
  if (signal_all(groups, SIGTERM)) {
    signal_all(groups, SIGCONT);
    wait_while_alive(groups, grace_seconds);
    signal_all(groups, SIGKILL);
  }
  if (remove != nullptr) ::execv("/bin/rm", remove);
  ::_exit(0);
}

void send(int pipe, Note note) {
  while (::write(pipe, &note, sizeof note) < 0 && errno == EINTR) {
  }
}

}  // namespace

Result<LocalGuard> LocalGuard::start(const std::vector<std::string>& directories, std::chrono::seconds grace,
                                     std::size_t processes) {
  auto pipe = make_pipe();
  if (!pipe) return fail(pipe.error());
  auto ready = make_pipe();
  if (!ready) return fail(ready.error());
  std::vector<std::string> words{"rm", "-rf", "--"};
  words.insert(words.end(), directories.begin(), directories.end());
  std::vector<char*> remove;
  for (std::string& word : words) remove.push_back(word.data());
  remove.push_back(nullptr);
  Groups groups(processes);
  const CommandLineArea command_line = command_line_area();
  const pid_t id = ::fork();
  if (id < 0) return fail(shortage("start the guard of the processes", errno));
  if (id == 0) {
    rename_process(command_line, kName);
    guard(pipe->read.get(), ready->write.get(), groups, directories.empty() ? nullptr : remove.data(),
          static_cast<long>(grace.count()));
  }
  // Until it has its own name and session, what ends launch would end the guard as well.
  ready->write.reset();
  char byte = 0;
  ssize_t got = 0;
  while ((got = ::read(ready->read.get(), &byte, 1)) < 0 && errno == EINTR) {
  }
  if (got != 1)
    return fail({ErrorCode::lost, "", "the guard of the processes ended before they started", ""});
  return LocalGuard(id, std::move(pipe->write));
}

void LocalGuard::announce_self(int index) const { send(pipe_.get(), {index, ::getpid()}); }

void LocalGuard::forget(int index) const { send(pipe_.get(), {index, 0}); }

void LocalGuard::dismiss() {
  send(pipe_.get(), {kDismissed, 0});
  pipe_.reset();
}

}  // namespace jackal::remote
