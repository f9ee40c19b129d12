#include "launch/runner.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>

#include "jackal/base/exit_code.hpp"
#include "jackal/base/random.hpp"
#include "jackal/remote/loop.hpp"
#include "jackal/remote/node.hpp"
#include "launch/input.hpp"
#include "launch/job.hpp"
#include "launch/output.hpp"
#include "launch/rank_run.hpp"
#include "launch/terminal.hpp"
#include "launch/whole_lines.hpp"

namespace jackal::launch {
namespace {

using remote::Clock;

constexpr std::size_t kInputHighBytes = 1024 * 1024;  // queued for the slowest rank before more is read
constexpr auto kLinePatience = std::chrono::milliseconds(100);  // how long a begun line keeps others waiting
constexpr std::size_t kReplayBytes = 1024 * 1024;  // of input kept for a second start on another port

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  const std::string bytes = random_bytes(sizeof seed);
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

bool is_ignored(int number) {
  struct sigaction now {};
  return ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

Error output_error(int number) {
  return {ErrorCode::io, "", "cannot write the job's output: " + errno_text(number), ""};
}

/// What stays the same when a job is started once more: our own streams, and what was read from the input.
struct Streams {
  Streams(remote::Loop& loop, const Output::Events& events)
      : out(loop, STDOUT_FILENO, events), err(loop, STDERR_FILENO, events) {}

  void keep(std::string_view bytes) {
    replay_whole = replay_whole && replay.size() + bytes.size() <= kReplayBytes;
    if (replay_whole) replay.append(bytes);
  }

  Output out, err;
  std::function<void()> start_input;
  std::unique_ptr<Input> input;
  std::string replay;        // all of the input so far, while replay_whole
  bool replay_whole = true;  // short enough to be given again
  bool input_ended = false;
};

class Runner {
public:
  Runner(remote::Loop& loop, Streams& streams, const Options& options, const Layout& layout)
      : loop_(loop), streams_(streams), options_(options), layout_(layout) {}

  struct Result {
    Outcome outcome;
    bool coordinator_taken = false;  // the job failed because somebody took the coordinator's port meanwhile
  };
  Result run();

  void on_interrupt();
  void on_terminate();
  void on_resize();
  void forward(int number);
  void on_input(std::string_view bytes);
  void on_input_end();
  void on_output_failed(int number);
  void on_output_drained();

private:
  enum class Phase { connecting, running, finishing };

  struct HostState {
    std::unique_ptr<remote::Node> node;
    bool ready = false;
    bool finished = false;
    std::optional<Error> failure;
    NodeFacts facts;
  };

  void plan_without_contact();
  void connect(const std::vector<std::string>& names);
  void node_ready(std::size_t index, const remote::NodeFacts& facts);
  void node_failed(std::size_t index, const Error& error);
  void all_answered();
  void start_job(Job job);
  void rank_exited(RankRun& run);
  void rank_over();
  void stop(Stop reason, std::optional<Error> error);
  void signal_ranks(int number);
  void escalate();
  void abandon();
  void end_rank(RankRun& run, How how, int number, const std::string& detail);
  void finish();
  void node_finished(std::size_t index, const remote::Node::Finished& finished);
  bool takes_input(const RankRun& run) const;
  void deliver(int rank, remote::Stream stream, std::string_view bytes);
  void release_lines();
  void say(const std::string& text) { streams_.err.write("launch: " + text + "\n"); }

  remote::Loop& loop_;
  Streams& streams_;
  const Options& options_;
  const Layout& layout_;
  const std::string job_id_ = to_hex(random_bytes(8));
  Phase phase_ = Phase::connecting;
  std::vector<std::string> names_;  // of the hosts
  std::vector<HostState> hosts_;
  std::optional<Job> job_;
  std::vector<std::unique_ptr<RankRun>> ranks_;
  Conclusion conclusion_;
  std::vector<std::string> left_over_, notices_;
  bool coordinator_busy_ = false;
  int interrupts_ = 0;
  int stop_step_ = 0;
  std::unique_ptr<RawTerminal> raw_terminal_;
  WholeLines out_lines_{[this](std::string_view bytes) { streams_.out.write(bytes); }};
  WholeLines err_lines_{[this](std::string_view bytes) { streams_.err.write(bytes); }};
  remote::Loop::Timer timeout_, stop_timer_, lines_timer_;
};

Runner::Result Runner::run() {
  if (options_.timeout) {
    timeout_ = loop_.after(*options_.timeout, [this] {
      conclusion_.timeout = *options_.timeout;
      stop(Stop::timed_out, std::nullopt);
    });
  }
  conclusion_.through_mpirun = layout_.through_mpirun();
  if (layout_.through_mpirun()) {
    plan_without_contact();
  } else {
    std::vector<std::string> names;
    for (const Host& host : layout_.hosts) names.push_back(host.ssh);
    for (const Rank& rank : layout_.ranks) conclusion_.hosts.push_back(names[rank.host]);
    connect(names);
  }
  loop_.run();
  raw_terminal_.reset();
  for (const std::string& line : left_over_) say("left behind: " + line);
  return {decide(conclusion_), coordinator_busy_ && conclusion_.stop == Stop::first_failure};
}

// mpirun starts the ranks by itself: the job is one process on this machine.
void Runner::plan_without_contact() {
  auto job = plan_job(options_, layout_, {}, {job_id_, random_bytes(32), random_seed()});
  if (!job) {
    conclusion_.stop = Stop::failed;
    conclusion_.error = job.error();
    loop_.stop();
    return;
  }
  conclusion_.hosts.assign(static_cast<std::size_t>(std::max(job->size, 1)), job->hosts.front());
  const std::vector<std::string> names = job->hosts;
  job_ = std::move(*job);
  connect(names);
}

void Runner::connect(const std::vector<std::string>& names) {
  names_ = names;
  hosts_ = std::vector<HostState>(names.size());
  for (std::size_t index = 0; index < names.size(); ++index) {
    remote::NodeOptions node;
    node.name = names[index];
    node.id = fmt::format("{}-{}", job_id_, index);
    node.transport =
        options_.ssh == SshProgram::system ? remote::Transport::system_ssh : remote::Transport::libssh;
    if (options_.ssh_config) node.ssh_config = *options_.ssh_config;
    node.expected_processes = job_ ? job_->ranks.size() : layout_.hosts[index].ranks.size();
    node.want_busy_ports = !job_ && layout_.size() > 1;
    node.grace = std::max(std::chrono::seconds(0), std::chrono::ceil<std::chrono::seconds>(options_.grace));
    hosts_[index].node =
        remote::Node::connect(loop_, std::move(node),
                              {[this, index](const remote::NodeFacts& facts) { node_ready(index, facts); },
                               [this, index](const Error& error) { node_failed(index, error); },
                               [this](const std::string& notice) {
                                 // One configuration serves many hosts: what it says is said once.
                                 if (std::find(notices_.begin(), notices_.end(), notice) != notices_.end())
                                   return;
                                 notices_.push_back(notice);
                                 say(notice);
                               }});
  }
}

void Runner::node_ready(std::size_t index, const remote::NodeFacts& facts) {
  hosts_[index].ready = true;
  hosts_[index].facts = facts;
  if (options_.verbose) say(fmt::format("host {} answered", names_[index]));
  all_answered();
}

void Runner::node_failed(std::size_t index, const Error& error) {
  hosts_[index].failure = error;
  if (phase_ == Phase::connecting) return all_answered();
  // A host that answered and then cannot begin is not one that was lost.
  const How how = error.code == ErrorCode::unreachable ? How::not_started : How::lost;
  for (const auto& run : ranks_) {
    if (run->host == index && !run->over) end_rank(*run, how, 0, error.text());
  }
  stop(Stop::failed, error);
  rank_over();
}

// Waits for every host, so that a person with three machines asleep learns of all three at once.
void Runner::all_answered() {
  if (phase_ != Phase::connecting) return;
  const Error* first = nullptr;
  for (const HostState& host : hosts_) {
    if (!host.ready && !host.failure) return;
    if (host.failure && first == nullptr) first = &*host.failure;
  }
  if (first != nullptr) {
    std::vector<std::string> said{first->text()};  // one bad file is bad for all hosts
    for (const HostState& host : hosts_) {
      if (!host.failure || std::find(said.begin(), said.end(), host.failure->text()) != said.end()) continue;
      said.push_back(host.failure->text());
      say(said.back());
    }
    return stop(Stop::failed, *first);
  }
  if (job_) return start_job(std::move(*job_));
  std::vector<NodeFacts> facts;
  for (const HostState& host : hosts_) facts.push_back(host.facts);
  auto job = plan_job(options_, layout_, facts, {job_id_, random_bytes(32), random_seed()});
  if (!job) return stop(Stop::failed, job.error());
  start_job(std::move(*job));
}

void Runner::start_job(Job job) {
  phase_ = Phase::running;
  for (const std::string& note : job.notes) say(note);
  const auto size = terminal_size(STDOUT_FILENO);
  std::vector<std::vector<remote::Node::Start>> starts(hosts_.size());
  std::vector<std::vector<RankRun*>> runs(hosts_.size());
  for (RankJob& rank : job.ranks) {
    ranks_.push_back(std::make_unique<RankRun>(
        rank.rank, rank.host,
        RankRun::Events{[this](RankRun& run, remote::Stream stream, std::string_view bytes) {
                          deliver(run.rank, stream, bytes);
                        },
                        [this] {
                          const bool room = std::all_of(ranks_.begin(), ranks_.end(), [](const auto& run) {
                            return run->process->unsent() < kInputHighBytes;
                          });
                          if (room && streams_.input) streams_.input->take_more();
                        },
                        [this](RankRun& run) { rank_exited(run); },
                        [this](RankRun& run) {
                          out_lines_.rank_ended(run.rank);
                          err_lines_.rank_ended(run.rank);
                          rank_over();
                        }}));
    rank.command.directory_required = rank.directory_required;
    starts[rank.host].push_back({std::move(rank.command), ranks_.back().get(), size});
    runs[rank.host].push_back(ranks_.back().get());
  }
  for (std::size_t index = 0; index < hosts_.size(); ++index) {
    const auto processes = hosts_[index].node->start(std::move(starts[index]));
    for (std::size_t i = 0; i < processes.size(); ++i) runs[index][i]->process = processes[i];
  }
  if (options_.pty) raw_terminal_ = std::make_unique<RawTerminal>(STDIN_FILENO);
  for (const auto& run : ranks_) {
    if (!takes_input(*run)) run->process->close_input();
  }
  on_input(streams_.replay);
  if (streams_.input_ended) return on_input_end();
  if (options_.stdin_to == StdinTo::all && !streams_.input) streams_.start_input();
}

void Runner::deliver(int rank, remote::Stream stream, std::string_view bytes) {
  const bool out = stream == remote::Stream::out;
  (out ? out_lines_ : err_lines_).write(rank, bytes);
  if (!out_lines_.waiting() && !err_lines_.waiting()) {
    lines_timer_.reset();
  } else if (!lines_timer_) {
    lines_timer_ = loop_.after(kLinePatience, [this] { release_lines(); });
  }
  if (!(out ? streams_.out : streams_.err).is_full()) return;
  for (const auto& run : ranks_) run->process->set_reading(false);
}

void Runner::release_lines() {
  lines_timer_.reset();
  out_lines_.release();
  err_lines_.release();
}

// With a terminal for rank 0, keystrokes are meant for that terminal alone.
bool Runner::takes_input(const RankRun& run) const {
  return options_.stdin_to == StdinTo::all && (!options_.pty || run.rank == 0);
}

void Runner::on_input(std::string_view bytes) {
  std::size_t most = 0;
  for (const auto& run : ranks_) {
    if (run->over || !takes_input(*run)) continue;
    run->process->write(bytes);
    most = std::max(most, run->process->unsent());
  }
  if (most < kInputHighBytes && streams_.input) streams_.input->take_more();
}

void Runner::on_input_end() {
  for (const auto& run : ranks_) {
    if (!run->over && takes_input(*run)) run->process->close_input();
  }
}

void Runner::rank_exited(RankRun& run) {
  if (run.over || phase_ != Phase::running) return;
  const bool stopped = conclusion_.stop != Stop::none;
  const bool success = run.status == remote::ExitStatus{};
  const bool by_interrupt = interrupts_ > 0;
  const How how = (stopped || by_interrupt) && !success ? How::stopped
                  : run.status.signalled                ? How::signalled
                                                        : How::exited;
  end_rank(run, how, run.status.number, "");
  if (by_interrupt && !success) return stop(Stop::interrupted, std::nullopt);
  if (!success && !stopped) stop(Stop::first_failure, std::nullopt);
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
      if (streams_.out.is_full() || streams_.err.is_full()) {
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

void Runner::on_resize() {
  const auto size = terminal_size(STDOUT_FILENO);
  if (!size || !options_.pty) return;
  for (const auto& run : ranks_) {
    if (run->rank == 0 && !run->over) run->process->resize(*size);
  }
}

// The guards still end everything as soon as our connections are gone.
void Runner::abandon() {
  raw_terminal_.reset();
  const std::string_view words = "launch: abandoned; what still runs is ended by its hosts\n";
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, words.data(), words.size());
  ::_exit(kExitInterrupted);
}

void Runner::on_output_failed(int number) { stop(Stop::failed, output_error(number)); }

void Runner::on_output_drained() {
  if (streams_.out.is_full() || streams_.err.is_full()) return;
  for (const auto& run : ranks_) run->process->set_reading(true);
}

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

}  // namespace

int run_job(const Options& options, const Layout& layout) {
  remote::Loop loop;
  Runner* runner = nullptr;  // the one at work
  const auto when_running = [&runner](auto action) {
    return [&runner, action] {
      if (runner != nullptr) action(*runner);
    };
  };
  Streams streams(loop, {[&runner](int number) {
                           if (runner != nullptr) runner->on_output_failed(number);
                         },
                         when_running([](Runner& now) { now.on_output_drained(); })});
  streams.start_input = [&] {
    streams.input = std::make_unique<Input>(loop, STDIN_FILENO,
                                            Input::Events{[&](const std::string& bytes) {
                                                            streams.keep(bytes);
                                                            if (runner != nullptr) runner->on_input(bytes);
                                                          },
                                                          [&] {
                                                            streams.input_ended = true;
                                                            if (runner != nullptr) runner->on_input_end();
                                                          }});
  };
  ::signal(SIGTSTP, SIG_IGN);  // who sleeps sends no heartbeats, and the hosts would end the job
  loop.on_signal(SIGINT, when_running([](Runner& now) { now.on_interrupt(); }));
  loop.on_signal(SIGTERM, when_running([](Runner& now) { now.on_terminate(); }));
  const bool hangups_ignored = is_ignored(SIGHUP);  // nohup
  if (!hangups_ignored) loop.on_signal(SIGHUP, when_running([](Runner& now) { now.on_terminate(); }));
  loop.on_signal(SIGWINCH, when_running([](Runner& now) { now.on_resize(); }));
  for (const int number : {SIGQUIT, SIGUSR1, SIGUSR2}) {
    loop.on_signal(number, when_running([number](Runner& now) { now.forward(number); }));
  }

  Runner::Result result;
  for (bool again = false;; again = true) {
    Runner current(loop, streams, options, layout);
    runner = &current;
    result = current.run();
    runner = nullptr;
    if (again || !result.coordinator_taken || !streams.replay_whole) break;
    streams.err.write(
        "launch: somebody took the coordinator's port meanwhile; starting once more on another\n");
  }
  // From here on there is nothing left to stop but our own writing.
  for (const int number : {SIGINT, SIGTERM}) ::signal(number, SIG_DFL);
  if (!hangups_ignored) ::signal(SIGHUP, SIG_DFL);
  int unwritten = streams.out.flush();
  if (unwritten == 0) unwritten = streams.err.flush();
  // The last bytes may fail when the job has already succeeded.
  if (unwritten != 0 && result.outcome.exit_code == kExitOk) result.outcome = decide(output_error(unwritten));
  for (const std::string& line : result.outcome.lines) streams.err.write(line + "\n");
  streams.err.flush();
  // Who is still on the way to a host cannot be waited for, and must not see the statics of libraries go.
  if (loop.has_posters()) ::_exit(result.outcome.exit_code);
  return result.outcome.exit_code;
}

}  // namespace jackal::launch
