// launch's own standard input, read by a thread of its own: terminals, pipes and files all the same way on
// every system. At most one chunk is on its way; the reader waits until it was taken.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "jackal/remote/loop.hpp"

namespace jackal::launch {

class Input {
public:
  struct Events {
    std::function<void(std::string bytes)> on_bytes;  // answered by take_more(), now or later
    std::function<void()> on_end;
  };

  /// Borrows `fd`. The events come on the loop's thread until the Input is gone.
  Input(remote::Loop& loop, int fd, Events events);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  /// The chunk was taken: the next may be read.
  void take_more();

private:
  struct Shared;
  std::shared_ptr<Shared>
      shared_;  // with the thread, which may still sit in read() when nobody waits for it any more
};

}  // namespace jackal::launch
