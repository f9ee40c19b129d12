// How an attempt ends: by its ranks, by a signal, by an error of ours.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "jackal/base/exit_code.hpp"
#include "launch/runner.hpp"

namespace jackal::launch {

using remote::Clock;

void Runner::rank_exited(RankRun& run) {
  if (run.over || phase_ != Phase::running) return;
  const bool stopped = conclusion_.stop != Stop::none;
  const bool success = run.status == remote::ExitStatus{};
  const bool by_interrupt = interrupts_ > 0 && is_end_by_interrupt(run.status);
  const How how = (stopped || by_interrupt) && !success ? How::stopped
                  : run.status.signalled                ? How::signalled
                                                        : How::exited;
  end_rank(run, how, run.status.number, "");
  if (by_interrupt) {
    // A peer that failed for want of this rank may have been heard of first.
    if (conclusion_.stop == Stop::first_failure) conclusion_.stop = Stop::interrupted;
    return stop(Stop::interrupted, std::nullopt);
  }
  if (!success && !stopped) stop(Stop::first_failure, std::nullopt);
}

/// mpirun never survives an interrupt, and the ssh program tells a signal that ended its command as 255.
bool Runner::is_end_by_interrupt(remote::ExitStatus status) const {
  if (layout_.through_mpirun()) return status != remote::ExitStatus{};
  constexpr int kSshSignalled = 255;
  const bool ssh_program = options_.ssh == SshProgram::system;
  return ended_by(status, SIGINT) || (ssh_program && status == remote::ExitStatus{false, kSshSignalled});
}

void Runner::end_rank(RankRun& run, How how, int number, const std::string& detail) {
  const auto same = [&](const Ending& ending) { return ending.rank == run.rank; };
  if (std::any_of(conclusion_.endings.begin(), conclusion_.endings.end(), same)) return;
  Ending ending;
  ending.rank = run.rank;
  ending.how = how;
  ending.number = number;
  ending.after = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - run.started);
  ending.detail = detail;
  conclusion_.endings.push_back(std::move(ending));
  if (how == How::lost || how == How::not_started) run.over = true;
}

void Runner::rank_over() {
  const bool all = std::all_of(ranks_.begin(), ranks_.end(), [](const auto& run) { return run->over; });
  if (all && phase_ == Phase::running) finish();
}

void Runner::stop(Stop reason, std::optional<Error> error) {
  if (conclusion_.stop != Stop::none) return;
  conclusion_.stop = reason;
  conclusion_.error = std::move(error);
  if (phase_ == Phase::connecting) {
    for (int rank = 0; rank < layout_.size(); ++rank) {
      if (!layout_.through_mpirun())
        conclusion_.endings.push_back({rank, How::not_started, 0, {}, "", "", ""});
    }
    return finish();
  }
  if (phase_ != Phase::running) return;
  escalate();
}

void Runner::signal_ranks(int number) {
  for (const auto& run : ranks_) {
    if (!run->over) run->process->signal(number);
  }
}

// TERM, after the grace KILL, and after some more seconds no more waiting.
void Runner::escalate() {
  constexpr auto kAfterKill = std::chrono::seconds(3);
  switch (stop_step_++) {
    case 0:
      signal_ranks(SIGTERM);
      signal_ranks(SIGCONT);
      stop_timer_ = loop_.after(options_.grace, [this] { escalate(); });
      return;
    case 1:
      signal_ranks(SIGKILL);
      stop_timer_ = loop_.after(kAfterKill, [this] { escalate(); });
      return;
    default:
      // What the ranks have written is lost with their hosts: first the reader takes it.
      if (streams_.is_full()) {
        stop_timer_ = loop_.after(kAfterKill, [this] { escalate(); });
        return;
      }
      return finish();
  }
}

void Runner::on_interrupt() {
  ++interrupts_;
  if (interrupts_ >= 3) return abandon();
  if (phase_ == Phase::connecting) return stop(Stop::interrupted, std::nullopt);
  if (phase_ != Phase::running) return;
  if (interrupts_ == 2) {
    say("ending the job; once more abandons it");
    return stop(Stop::interrupted, std::nullopt);
  }
  signal_ranks(SIGINT);
}

void Runner::on_terminate() { stop(Stop::interrupted, std::nullopt); }

void Runner::forward(int number) {
  if (phase_ == Phase::running) signal_ranks(number);
}

// The guards still end everything as soon as our connections are gone.
void Runner::abandon() {
  raw_terminal_.reset();
  const std::string words = std::string(streams_.line_is_open() ? "\n" : "") +
                            "launch: abandoned; what still runs is ended by its hosts\n";
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, words.data(), words.size());
  ::_exit(kExitInterrupted);
}

void Runner::on_output_failed(int number) { stop(Stop::failed, output_error(number)); }

void Runner::finish() {
  if (phase_ == Phase::finishing) return;
  for (const auto& run : ranks_) {
    if (!run->exited && !run->over) end_rank(*run, How::abandoned, 0, "");
  }
  phase_ = Phase::finishing;
  release_lines();
  timeout_.reset();
  stop_timer_.reset();
  for (std::size_t index = 0; index < hosts_.size(); ++index) {
    hosts_[index].node->finish(
        [this, index](const remote::Node::Finished& finished) { node_finished(index, finished); });
  }
}

void Runner::node_finished(std::size_t index, const remote::Node::Finished& finished) {
  hosts_[index].finished = true;
  coordinator_busy_ = coordinator_busy_ || finished.coordinator_busy;
  left_over_.insert(left_over_.end(), finished.left_over.begin(), finished.left_over.end());
  std::size_t local = 0;
  for (const auto& run : ranks_) {
    if (run->host != index) continue;
    for (Ending& ending : conclusion_.endings) {
      if (ending.rank != run->rank) continue;
      ending.stderr_tail = run->stderr_tail;
      if (local < finished.search_paths.size()) ending.path = finished.search_paths[local];
    }
    ++local;
  }
  if (std::all_of(hosts_.begin(), hosts_.end(), [](const HostState& host) { return host.finished; }))
    loop_.stop();
}

}  // namespace jackal::launch
