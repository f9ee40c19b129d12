// The thread of a group that carries out its asynchronous operations: collectives one after the other, in
// the order of the calls, and messages beside them. It sleeps while there is nothing to do.
#pragma once

#include <poll.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "group/bell.hpp"
#include "group/pending.hpp"
#include "group/request.hpp"

namespace jackal::collectives {

using detail::Pending;

class Communicator;

class Progress {
public:
  /// `group` outlives this.
  explicit Progress(Communicator& group);
  /// Returns once everything that was started is done.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Copies what `request` borrows, but for the buffers.
  std::shared_ptr<Pending> start(const Request& request);
  /// There may be something to do.
  void ring() { bell_.ring(); }

private:
  struct Started {
    Request request;
    std::vector<std::size_t> counts;
    std::string algorithm;
    std::shared_ptr<Pending> pending;
  };

  void main();
  bool run_next();
  bool tend();
  void sleep(std::chrono::microseconds nap);

  Communicator& group_;
  Bell bell_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<Started>> queue_;
  std::atomic<bool> stop_ = false;
  std::vector<pollfd> entries_;
  std::thread thread_;
};

}  // namespace jackal::collectives
