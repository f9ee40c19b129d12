// How an attempt begins and runs; runner_end.cpp tells how it ends.
#include "launch/runner.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "launch/ports.hpp"

namespace jackal::launch {
namespace {

constexpr std::size_t kInputHighBytes = 1024 * 1024;  // queued for the slowest rank before more is read
constexpr auto kLinePatience = std::chrono::milliseconds(100);  // how long a begun line keeps others waiting

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  const std::string bytes = random_bytes(sizeof seed);
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

}  // namespace

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
    node.want_busy_ports = !job_ && hands_out_ports(layout_, index);
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
  // The first error has the last line, and is not said twice.
  const std::string detail = conclusion_.stop == Stop::none ? "" : error.text();
  for (const auto& run : ranks_) {
    if (run->host == index && !run->over) end_rank(*run, how, 0, detail);
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
  on_input(streams_.replay());
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
  if (!streams_.is_full(stream)) return;
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
void Runner::on_resize() {
  const auto size = terminal_size(STDOUT_FILENO);
  if (!size || !options_.pty) return;
  for (const auto& run : ranks_) {
    if (run->rank == 0 && !run->over) run->process->resize(*size);
  }
}

void Runner::on_output_drained() {
  if (streams_.is_full()) return;
  for (const auto& run : ranks_) run->process->set_reading(true);
}

}  // namespace jackal::launch
