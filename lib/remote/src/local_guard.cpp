#include "local_guard.hpp"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "close_descriptors.hpp"
#include "process.hpp"

namespace jackal::remote {
namespace {

constexpr int kMostProcesses = 4096;  // on one machine
constexpr int kDismissed = -1;

/// A message, smaller than PIPE_BUF and so never torn. index kDismissed: leave; group 0: forget.
struct Note {
  int index;
  pid_t group;
};

pid_t guarded[kMostProcesses];  // of the guard, which has its own copy of the program's memory

bool signal_all(int number) {
  bool any = false;
  for (const pid_t group : guarded) {
    if (group > 0 && ::kill(-group, number) == 0) any = true;
  }
  return any;
}

void wait_while_alive(long most_seconds) {
  constexpr long kStepMs = 50;
  for (long waited = 0; waited < most_seconds * 1000 && signal_all(0); waited += kStepMs) {
    const timespec step{0, kStepMs * 1'000'000};
    ::nanosleep(&step, nullptr);
  }
}

[[noreturn]] void guard(int pipe, char* const* remove, long grace_seconds) {
  ::setsid();
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP, SIGUSR1, SIGUSR2}) {
    ::signal(number, SIG_IGN);
  }
  close_descriptors_except(pipe);  // nobody may wait for the guard to close our streams
  Note note{};
  for (;;) {
    const ssize_t got = ::read(pipe, &note, sizeof note);
    if (got < 0 && errno == EINTR) continue;
    if (got != static_cast<ssize_t>(sizeof note)) break;
    if (note.index == kDismissed) ::_exit(0);
    if (note.index >= 0 && note.index < kMostProcesses) guarded[note.index] = note.group;
  }
  if (signal_all(SIGTERM)) {
    signal_all(SIGCONT);
    wait_while_alive(grace_seconds);
    signal_all(SIGKILL);
  }
  ::execv("/bin/rm", remove);
  ::_exit(1);
}

void send(int pipe, Note note) {
  while (::write(pipe, &note, sizeof note) < 0 && errno == EINTR) {
  }
}

}  // namespace

Result<LocalGuard> LocalGuard::start(const std::vector<std::string>& directories,
                                     std::chrono::seconds grace) {
  auto pipe = make_pipe();
  if (!pipe) return fail(pipe.error());
  std::vector<std::string> words{"rm", "-rf", "--"};
  words.insert(words.end(), directories.begin(), directories.end());
  std::vector<char*> remove;
  for (std::string& word : words) remove.push_back(word.data());
  remove.push_back(nullptr);
  const pid_t id = ::fork();
  if (id < 0)
    return fail({ErrorCode::io, "", "cannot start the guard of the processes: " + errno_text(errno), ""});
  if (id == 0) guard(pipe->read.get(), remove.data(), static_cast<long>(grace.count()));
  return LocalGuard(id, std::move(pipe->write));
}

void LocalGuard::announce_self(int index) const { send(pipe_.get(), {index, ::getpid()}); }

void LocalGuard::forget(int index) const { send(pipe_.get(), {index, 0}); }

void LocalGuard::dismiss() {
  send(pipe_.get(), {kDismissed, 0});
  pipe_.reset();
}

}  // namespace jackal::remote
