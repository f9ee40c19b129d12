#include "group/pending.hpp"

#include <span>
#include <utility>

namespace jackal {
inline namespace v1 {

void detail::Pending::finish(std::optional<Error> error) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    if (--parts_ > 0) return;
    done_.store(true, std::memory_order_release);
  }
  changed_.notify_all();
}

void detail::Pending::wait() {
  if (done()) return;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return done(); });
}

void detail::Pending::rethrow() const {
  if (error_) throw Error(*error_);
}

Handle::Handle() noexcept = default;
Handle::Handle(std::shared_ptr<detail::Pending> pending) noexcept : pending_(std::move(pending)) {}
Handle::Handle(Handle&&) noexcept = default;

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this == &other) return *this;
  if (pending_) pending_->wait();
  pending_ = std::move(other.pending_);
  return *this;
}

Handle::~Handle() {
  if (pending_) pending_->wait();
}

void Handle::wait() {
  if (!pending_) return;
  pending_->wait();
  pending_->rethrow();
}

bool Handle::test() {
  if (!pending_) return true;
  if (!pending_->done()) return false;
  pending_->rethrow();
  return true;
}

void Handle::wait_all(std::span<Handle> handles) {
  for (Handle& handle : handles)
    if (handle.pending_) handle.pending_->wait();
  for (Handle& handle : handles) handle.wait();
}

}  // namespace v1
}  // namespace jackal
