// The one event loop of a tool: file descriptors, timers, signals, and work handed over by other threads.
// Everything but post() and Poster belongs to the thread that calls run(). Callbacks may add and drop watches
// freely. A process with a loop ignores SIGPIPE: that nobody listens any more is told by the write.
#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "jackal/base/unique_fd.hpp"

namespace jackal::remote {

using Clock = std::chrono::steady_clock;

class Loop {
  struct Entry;
  struct Alarm;
  struct Mailbox;

public:
  /// Watches a descriptor for as long as it lives. Does not own the descriptor.
  class Watch {
  public:
    Watch() = default;
    void set_events(short events);  // POLLIN, POLLOUT, 0 for none
    void reset() { entry_.reset(); }
    explicit operator bool() const { return entry_ != nullptr; }

  private:
    friend class Loop;
    std::shared_ptr<Entry> entry_;
  };

  /// A deadline for as long as it lives; fires once.
  class Timer {
  public:
    Timer() = default;
    void reset() { alarm_.reset(); }
    explicit operator bool() const { return alarm_ != nullptr; }

  private:
    friend class Loop;
    std::shared_ptr<Alarm> alarm_;
  };

  /// post() for a thread that may outlive the loop: what it posts then is dropped.
  class Poster {
  public:
    void post(std::function<void()> work) const;

  private:
    friend class Loop;
    std::shared_ptr<Mailbox> mailbox_;
  };

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[nodiscard]] Watch watch(int fd, short events, std::function<void(short revents)> ready);
  [[nodiscard]] Timer after(Clock::duration delay, std::function<void()> fire);
  /// Runs `work` on the loop's thread, in order; may be called from any thread.
  void post(std::function<void()> work);
  Poster poster() const;
  /// Whether a Poster is still held: a thread is at work that no stop() waits for.
  bool has_posters() const { return mailbox_.use_count() > 1; }
  /// Runs `handler` on the loop's thread whenever `signal_number` has arrived; one loop a process may do so.
  void on_signal(int signal_number, std::function<void()> handler);

  /// Runs until stop(). With nothing left to wait for it still waits for post().
  void run();
  void stop() { stopped_ = true; }

private:
  void run_once();
  void run_posted();
  void fire_alarms();
  int timeout_ms() const;

  std::vector<std::weak_ptr<Entry>> entries_;
  std::multimap<Clock::time_point, std::weak_ptr<Alarm>> alarms_;
  std::map<int, std::function<void()>> signal_handlers_;
  std::shared_ptr<Mailbox> mailbox_;
  UniqueFd wake_read_;
  Watch wake_watch_;
  bool stopped_ = false;
};

}  // namespace jackal::remote
