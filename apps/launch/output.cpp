#include "launch/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace jackal::launch {
namespace {

constexpr std::size_t kHighBytes = 4 * 1024 * 1024;
constexpr std::size_t kLowBytes = 1024 * 1024;

/// 0, or the errno with which it failed. Waits where somebody made the descriptor non-blocking.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd waiting{fd, POLLOUT, 0};
      ::poll(&waiting, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

Error output_error(int number) {
  return {ErrorCode::io, "", "cannot write the job's output: " + errno_text(number), ""};
}

Output::Output(remote::Loop& loop, int fd, Events events)
    : loop_(loop), fd_(fd), events_(std::move(events)) {}

Output::~Output() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Output::write(std::string_view bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (failed_ != 0) return;
    queue_.append(bytes);
    was_full_ = was_full_ || queue_.size() > kHighBytes;
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

bool Output::is_full() {
  const std::lock_guard lock(mutex_);
  return was_full_;
}

int Output::flush() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return failed_ != 0 || (queue_.empty() && !writing_); });
  return failed_;
}

void Output::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const std::string bytes = std::exchange(queue_, {});
    writing_ = true;
    lock.unlock();
    const int failed = write_all(fd_, bytes);
    lock.lock();
    writing_ = false;
    if (failed != 0) {
      failed_ = failed;
      queue_.clear();
      loop_.post([this, failed] { events_.on_failed(failed); });
    }
    if (was_full_ && queue_.size() < kLowBytes) {
      was_full_ = false;
      loop_.post([this] { events_.on_drained(); });
    }
    changed_.notify_all();
  }
}

}  // namespace jackal::launch
