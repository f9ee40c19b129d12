#include "launch/input.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

namespace jackal::launch {

struct Input::Shared {
  Shared(remote::Loop& loop_, int fd_, Events events_) : loop(loop_), fd(fd_), events(std::move(events_)) {}

  remote::Loop& loop;
  int fd;
  Events events;
  std::mutex mutex;
  std::condition_variable changed;
  bool wanted = true;  // guarded by mutex: another chunk may be read
  bool gone = false;   // guarded by mutex: nobody listens any more
};

namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr int kForegroundCheckMs = 250;

/// A background job that read its terminal would be stopped, heartbeats and all: it waits for its turn.
/// A terminal that is not our controlling one has no foreground for us and stops nobody.
bool may_read(int fd) {
  const pid_t front = ::isatty(fd) == 0 ? -1 : ::tcgetpgrp(fd);
  return front < 0 || front == ::getpgrp();
}

/// The next bytes; empty at the end.
std::string next_chunk(int fd) {
  std::string bytes(kChunkBytes, '\0');
  for (;;) {
    if (!may_read(fd)) {
      ::poll(nullptr, 0, kForegroundCheckMs);
      continue;
    }
    const ssize_t got = ::read(fd, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) {
      pollfd waiting{fd, POLLIN, 0};
      ::poll(&waiting, 1, -1);
      continue;
    }
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }
}

}  // namespace

Input::Input(remote::Loop& loop, int fd, Events events)
    : shared_(std::make_shared<Shared>(loop, fd, std::move(events))) {
  std::thread([shared = shared_] {
    for (;;) {
      {
        std::unique_lock lock(shared->mutex);
        shared->changed.wait(lock, [&] { return shared->wanted || shared->gone; });
        if (shared->gone) return;
        shared->wanted = false;
      }
      std::string bytes = next_chunk(shared->fd);
      const bool end = bytes.empty();
      const std::lock_guard lock(shared->mutex);
      if (shared->gone) return;
      shared->loop.post([shared, bytes = std::move(bytes)]() mutable {
        const bool gone = [&] {
          const std::lock_guard inner(shared->mutex);
          return shared->gone;
        }();
        if (gone) return;
        bytes.empty() ? shared->events.on_end() : shared->events.on_bytes(std::move(bytes));
      });
      if (end) return;
    }
  }).detach();
}

Input::~Input() {
  const std::lock_guard lock(shared_->mutex);
  shared_->gone = true;
  shared_->changed.notify_all();
}

void Input::take_more() {
  const std::lock_guard lock(shared_->mutex);
  shared_->wanted = true;
  shared_->changed.notify_all();
}

}  // namespace jackal::launch
