// What a Handle and whoever carries its operation out share. Any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "error.hpp"

namespace jackal {
inline namespace v1 {

class detail::Pending {
public:
  /// `parts`: how often finish() will be called before the operation is done.
  explicit Pending(int parts = 1) : parts_(parts) {}

  /// A part is complete, or has failed with `error`.
  void finish(std::optional<Error> error);

  bool done() const { return done_.load(std::memory_order_acquire); }
  void wait();
  /// Throws the error, if there is one. Only when done().
  void rethrow() const;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> done_ = false;
  int parts_;                   // not yet finished; guarded by mutex_
  std::optional<Error> error_;  // the first; written before done_, read after it
};

}  // namespace v1
}  // namespace jackal
