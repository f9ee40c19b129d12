#include "transports/verbs/departure.hpp"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>

namespace jackal::collectives {
namespace {

std::mutex guard;  // of who is first and last
// For the handler, too.
std::atomic<int> holders = 0;
std::atomic<pid_t> owner = 0;  // the process that they are in: a fork has none of the objects
std::atomic<bool> noted = false;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free &&
              std::atomic<bool>::is_always_lock_free);

// Noted before the look at who holds: the last holder looks the other way round, so one of them sees the
// other.
extern "C" void note_departure(int) {
  const int kept = errno;
  noted = true;
  if (holders == 0 || owner != ::getpid()) {
    std::signal(SIGTERM, SIG_DFL);
    std::raise(SIGTERM);
  }
  errno = kept;
}

bool handled_by(void (*handler)(int)) {
  struct sigaction action {};
  ::sigaction(SIGTERM, nullptr, &action);
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == handler;
}

void take_over() {
  struct sigaction action {};
  action.sa_handler = note_departure;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGTERM, &action, nullptr);
}

[[noreturn]] void end_process() {
  std::signal(SIGTERM, SIG_DFL);
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  std::raise(SIGTERM);
  ::_exit(128 + SIGTERM);  // the first process of a container survives it
}

void release() {
  const std::lock_guard lock(guard);
  if (--holders > 0) return;
  if (handled_by(note_departure)) std::signal(SIGTERM, SIG_DFL);
  if (noted) end_process();
}

}  // namespace

Departure::Departure() {
  const std::lock_guard lock(guard);
  if (owner != ::getpid()) {
    holders = 0;
    noted = false;
    owner = ::getpid();
  }
  if (holders++ == 0 && handled_by(SIG_DFL)) take_over();
}

Departure::~Departure() { release(); }

bool Departure::due() { return noted; }

void Departure::finish() {
  release();
  for (;;) ::pause();
}

}  // namespace jackal::collectives
