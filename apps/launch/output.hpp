// One of launch's own output streams. A thread does the writing, so that a reader who pauses (a pager, a
// stopped terminal) never stops the loop and its heartbeats.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "jackal/base/error.hpp"
#include "jackal/remote/loop.hpp"

namespace jackal::launch {

/// What a failed write of the job's output means to the person.
Error output_error(int number);

class Output {
public:
  struct Events {
    std::function<void(int number)> on_failed;  // errno; what is queued is dropped from then on
    std::function<void()> on_drained;           // below the low mark again
  };

  /// Borrows `fd`. The events come on the loop's thread.
  Output(remote::Loop& loop, int fd, Events events);
  /// Waits until all is written, or cannot be.
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view bytes);
  /// Above this much, the caller should stop feeding it until on_drained.
  bool is_full();
  /// Waits until all is written, or cannot be: then the errno, else 0.
  int flush();

private:
  void run();

  remote::Loop& loop_;
  int fd_;
  Events events_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string queue_;      // guarded by mutex_
  bool writing_ = false;   // guarded by mutex_: the thread has bytes in hand
  bool was_full_ = false;  // guarded by mutex_
  int failed_ = 0;         // guarded by mutex_: the errno
  bool ending_ = false;    // guarded by mutex_
  std::thread thread_;     // started by the first write
};

}  // namespace jackal::launch
