// A channel whose other end is a child process of ours: the program itself, or an ssh client that leads to
// it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "channel.hpp"
#include "child_watch.hpp"
#include "process.hpp"

namespace jackal::remote {

class ChildChannel : public Channel {
public:
  /// What to start for the words to run; the channel adds the descriptors.
  using Prepare = std::function<SpawnRequest(const std::vector<std::string>& words, bool terminal)>;

  ChildChannel(Loop& loop, ChannelEvents& events, Prepare prepare);
  void exec(const std::vector<std::string>& words, const std::optional<TerminalSize>& terminal) override;
  void write(std::string_view bytes) override;
  void close_input() override;
  std::size_t unsent() const override { return queue_.size(); }
  std::string take_unsent() override { return std::exchange(queue_, {}); }
  void set_reading(bool reading) override;
  void resize(TerminalSize size) override;

  /// The process, and so its group; -1 when it could not be started. Stays known after its end.
  pid_t child() const { return child_; }
  bool is_running() const { return child_ > 0 && !ended_; }

private:
  struct Output {
    UniqueFd fd;
    Loop::Watch watch;
  };

  Result<void> start(const std::vector<std::string>& words, const std::optional<TerminalSize>& terminal);
  void report_start_failure(const Error& error);
  void watch_output(Output& output, Stream stream);
  void read(Output& output, Stream stream);
  void flush();
  void drained();

  Loop& loop_;
  ChannelEvents& events_;
  Prepare prepare_;
  pid_t child_ = -1;
  ChildWatch child_watch_;
  bool ended_ = false;
  UniqueFd input_;
  Loop::Watch input_watch_;
  std::string queue_;  // not yet taken by the child
  bool close_when_drained_ = false;
  Output out_, err_;
  UniqueFd terminal_;  // our end of the pseudo-terminal
  bool reading_ = true;
  bool streams_ended_ = false;
  Loop::Timer soon_;
};

}  // namespace jackal::remote
