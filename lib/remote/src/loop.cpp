#include "jackal/remote/loop.hpp"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

#include "descriptors.hpp"
#include "process.hpp"

namespace jackal::remote {
namespace {

std::atomic<int> signal_pipe{-1};

extern "C" void jackal_remote_note_signal(int number) {
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(number);
  // A full pipe means that the loop has enough to wake up for.
  [[maybe_unused]] const ssize_t ignored = ::write(signal_pipe.load(), &byte, 1);
  errno = saved;
}

}  // namespace

struct Loop::Entry {
  int fd;
  short events;
  std::function<void(short)> ready;
};

struct Loop::Alarm {
  std::function<void()> fire;
};

/// What other threads have for the loop.
struct Loop::Mailbox {
  std::mutex mutex;
  std::vector<std::function<void()>> posted;  // guarded by mutex
  UniqueFd wake_write;  // guarded by mutex; gets a byte: 0 for work, else a signal's number

  void post(std::function<void()> work) {
    const std::lock_guard lock(mutex);
    if (!wake_write) return;
    posted.push_back(std::move(work));
    // One byte for all that is there keeps room in the pipe for signals.
    if (posted.size() > 1) return;
    const unsigned char zero = 0;
    [[maybe_unused]] const ssize_t ignored = ::write(wake_write.get(), &zero, 1);
  }
};

void Loop::Poster::post(std::function<void()> work) const { mailbox_->post(std::move(work)); }

void Loop::Watch::set_events(short events) {
  if (entry_) entry_->events = events;
}

Loop::Loop() : mailbox_(std::make_shared<Mailbox>()) {
  ::signal(SIGPIPE, SIG_IGN);
  DescriptorPair ends = open_pipe();
  if (!ends) throw std::system_error(errno, std::generic_category(), "pipe");
  set_nonblocking(ends.first.get());
  set_nonblocking(ends.second.get());
  wake_read_ = std::move(ends.first);
  mailbox_->wake_write = std::move(ends.second);
  wake_watch_ = watch(wake_read_.get(), POLLIN, [this](short) {
    unsigned char bytes[256];
    const ssize_t got = ::read(wake_read_.get(), bytes, sizeof bytes);
    std::vector<int> signals;
    for (ssize_t i = 0; i < got; ++i) {
      if (bytes[i] != 0) signals.push_back(bytes[i]);
    }
    for (const int number : signals) {
      const auto handler = signal_handlers_.find(number);
      if (handler != signal_handlers_.end()) handler->second();
    }
  });
}

Loop::~Loop() {
  for (const auto& [number, handler] : signal_handlers_) ::signal(number, SIG_DFL);
  if (!signal_handlers_.empty()) signal_pipe = -1;
  std::vector<std::function<void()>> dropped;
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->wake_write.reset();
  dropped.swap(mailbox_->posted);
}

Loop::Watch Loop::watch(int fd, short events, std::function<void(short)> ready) {
  Watch watch;
  watch.entry_ = std::make_shared<Entry>(Entry{fd, events, std::move(ready)});
  entries_.push_back(watch.entry_);
  return watch;
}

Loop::Timer Loop::after(Clock::duration delay, std::function<void()> fire) {
  Timer timer;
  timer.alarm_ = std::make_shared<Alarm>(Alarm{std::move(fire)});
  alarms_.emplace(Clock::now() + delay, timer.alarm_);
  return timer;
}

void Loop::post(std::function<void()> work) { mailbox_->post(std::move(work)); }

Loop::Poster Loop::poster() const {
  Poster poster;
  poster.mailbox_ = mailbox_;
  return poster;
}

void Loop::on_signal(int signal_number, std::function<void()> handler) {
  signal_handlers_[signal_number] = std::move(handler);
  signal_pipe = mailbox_->wake_write.get();
  struct sigaction action {};
  action.sa_handler = jackal_remote_note_signal;
  action.sa_flags = SA_RESTART;
  ::sigfillset(&action.sa_mask);
  ::sigaction(signal_number, &action, nullptr);
}

void Loop::run() {
  stopped_ = false;
  while (!stopped_) run_once();
}

void Loop::run_once() {
  std::vector<pollfd> polled;
  std::vector<std::weak_ptr<Entry>> watched;
  std::erase_if(entries_, [](const auto& entry) { return entry.expired(); });
  for (const auto& weak : entries_) {
    const auto entry = weak.lock();
    if (entry->events == 0) continue;
    polled.push_back({entry->fd, entry->events, 0});
    watched.push_back(weak);
  }
  if (::poll(polled.data(), static_cast<nfds_t>(polled.size()), timeout_ms()) < 0 && errno != EINTR) {
    throw std::system_error(errno, std::generic_category(), "poll");
  }
  for (std::size_t i = 0; i < polled.size() && !stopped_; ++i) {
    if (polled[i].revents == 0) continue;
    const auto entry = watched[i].lock();
    if (entry && entry->events != 0) entry->ready(polled[i].revents);
  }
  if (!stopped_) fire_alarms();
  if (!stopped_) run_posted();
}

void Loop::run_posted() {
  std::vector<std::function<void()>> work;
  {
    const std::lock_guard lock(mailbox_->mutex);
    work.swap(mailbox_->posted);
  }
  for (const auto& function : work) function();
}

void Loop::fire_alarms() {
  const auto now = Clock::now();
  while (!alarms_.empty() && alarms_.begin()->first <= now) {
    const auto alarm = alarms_.begin()->second.lock();
    alarms_.erase(alarms_.begin());
    if (alarm) {
      const auto fire = std::move(alarm->fire);
      fire();
    }
  }
}

int Loop::timeout_ms() const {
  {
    // Left by a run() that was stopped before its turn came.
    const std::lock_guard lock(mailbox_->mutex);
    if (!mailbox_->posted.empty()) return 0;
  }
  for (const auto& [when, alarm] : alarms_) {
    if (alarm.expired()) continue;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, 60'000));
  }
  return 60'000;
}

}  // namespace jackal::remote
