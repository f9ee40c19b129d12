#include "group/progress.hpp"

#include <poll.h>

#include <algorithm>

#include "group/communicator.hpp"

namespace jackal::collectives {
namespace {

using std::chrono::microseconds;

// Where nothing tells of a message's arrival, this thread looks for one: often at first, then less.
constexpr microseconds kShortNap(50);
constexpr microseconds kLongNap(1000);

}  // namespace

Progress::Progress(Communicator& group) : group_(group), thread_([this] { main(); }) {}

Progress::~Progress() {
  stop_ = true;
  bell_.ring();
  thread_.join();
}

std::shared_ptr<Pending> Progress::start(const Request& request) {
  auto job = std::make_unique<Started>();
  job->request = request;
  job->counts.assign(request.counts.begin(), request.counts.end());
  job->request.counts = job->counts;
  job->algorithm = request.algorithm;
  job->request.algorithm = job->algorithm;
  job->pending = std::make_shared<Pending>();
  std::shared_ptr<Pending> pending = job->pending;
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
    ++group_.started();
  }
  bell_.ring();
  return pending;
}

void Progress::main() {
  microseconds nap = kShortNap;
  for (;;) {
    bell_.silence();
    // Between the bell, which rings for it, and the look for work: what was started before is found below.
    const bool stopping = stop_;
    if (run_next()) {
      nap = kShortNap;
      continue;
    }
    bool moved = false;
    bool duty = false;
    entries_.assign(1, {bell_.descriptor(), POLLIN, 0});
    {
      const std::lock_guard turn(group_.turn());
      moved = group_.on_duty() && group_.tend();
      duty = group_.on_duty();
      if (duty) group_.add_descriptors(entries_);
    }
    // Whoever waits for its turn gets it now; a mutex alone would promise that to nobody.
    while (group_.waiting_for_turn() > 0) std::this_thread::yield();
    if (moved) {
      nap = kShortNap;
      continue;
    }
    if (stopping && !group_.busy()) return;
    const bool blind = duty && group_.sleepless();
    sleep(blind  ? nap
          : duty ? microseconds(std::chrono::milliseconds(100))
                 : microseconds(std::chrono::minutes(1)));
    if (blind) nap = std::min(2 * nap, kLongNap);
  }
}

bool Progress::run_next() {
  std::unique_ptr<Started> job;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return false;
    job = std::move(queue_.front());
    queue_.pop_front();
  }
  std::optional<Error> error;
  {
    const std::lock_guard turn(group_.turn());
    error = group_.attempt(job->request);
  }
  // Before its caller can know, so that its next call finds the way free.
  --group_.started();
  job->pending->finish(std::move(error));
  return true;
}

void Progress::sleep(microseconds nap) {
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(nap);
  if (nap >= std::chrono::milliseconds(1)) {
    ::poll(entries_.data(), static_cast<nfds_t>(entries_.size()), static_cast<int>(whole.count()));
    return;
  }
  if (::poll(entries_.data(), static_cast<nfds_t>(entries_.size()), 0) == 0) std::this_thread::sleep_for(nap);
}

}  // namespace jackal::collectives
