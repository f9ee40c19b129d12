// One attempt at a job, from the first connection to the last byte: connects every host, plans the job with
// what they say, starts the ranks, joins their input and output to ours, stops what must be stopped, and sees
// that nothing is left. Decisions are job.hpp's and outcome.hpp's; this is the shell around them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/random.hpp"
#include "jackal/remote/loop.hpp"
#include "jackal/remote/node.hpp"
#include "launch/job.hpp"
#include "launch/layout.hpp"
#include "launch/options.hpp"
#include "launch/outcome.hpp"
#include "launch/rank_run.hpp"
#include "launch/streams.hpp"
#include "launch/terminal.hpp"
#include "launch/whole_lines.hpp"

namespace jackal::launch {

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
  bool is_end_by_interrupt(remote::ExitStatus status) const;
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
  void say(const std::string& text) { streams_.say("launch: " + text); }

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
  WholeLines out_lines_{[this](std::string_view bytes) { streams_.write(remote::Stream::out, bytes); }};
  WholeLines err_lines_{[this](std::string_view bytes) { streams_.write(remote::Stream::err, bytes); }};
  remote::Loop::Timer timeout_, stop_timer_, lines_timer_;
};

}  // namespace jackal::launch
