#include <sys/socket.h>

#include "../process.hpp"
#include "session.hpp"

namespace jackal::remote {

Cancel::Cancel() {
  auto pipe = make_pipe();
  if (!pipe) return;  // without it a cancelled attempt ends by its own time limits
  wake_read_ = std::move(pipe->read);
  wake_write_ = std::move(pipe->write);
}

bool Cancel::use(int fd) {
  const std::lock_guard lock(mutex_);
  fd_ = fd;
  return !cancelled_;
}

void Cancel::begin_look_up() {
  const std::lock_guard lock(mutex_);
  worker_ = Worker::looking_up;
  changed_.notify_all();
}

bool Cancel::end_look_up() {
  const std::lock_guard lock(mutex_);
  worker_ = Worker::busy;
  return !cancelled_;
}

bool Cancel::tell(const std::function<void()>& word) {
  const std::lock_guard lock(mutex_);
  if (cancelled_) return false;
  word();
  return true;
}

void Cancel::leave() {
  const std::lock_guard lock(mutex_);
  worker_ = Worker::gone;
  changed_.notify_all();
}

void Cancel::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  wake_write_.reset();
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

bool Cancel::cancel_and_wait() {
  cancel();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return worker_ != Worker::busy; });
  return worker_ == Worker::gone;
}

}  // namespace jackal::remote
