// One rank while it runs: what it has said and how it ended, as the outcome will want it.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "jackal/remote/node.hpp"
#include "launch/outcome.hpp"

namespace jackal::launch {

class RankRun : public remote::ProcessEvents {
public:
  struct Events {
    std::function<void(RankRun&, remote::Stream, std::string_view)> on_output;
    std::function<void()> on_input_drained;
    std::function<void(RankRun&)> on_exit;
    std::function<void(RankRun&)> on_over;  // exited and no more output
  };

  RankRun(int rank_number, std::size_t host_index, Events events)
      : rank(rank_number), host(host_index), events_(std::move(events)) {}

  void on_output(remote::Stream stream, std::string_view bytes) override;
  void on_input_drained() override { events_.on_input_drained(); }
  void on_exit(remote::ExitStatus status) override;
  void on_streams_ended() override;

  const int rank;
  const std::size_t host;
  remote::Process* process = nullptr;  // owned by its node, which outlives this
  remote::Clock::time_point started = remote::Clock::now();
  bool exited = false;
  bool over = false;
  remote::ExitStatus status;
  std::string stderr_tail;

private:
  void check_over();

  Events events_;
  bool streams_ended_ = false;
};

}  // namespace jackal::launch
