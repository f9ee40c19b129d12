// One process on a node: its channel, from "go" to the end of its streams. Strips what a login shell printed
// before the program began, and ends what keeps the streams open after the program has gone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "channel.hpp"

namespace jackal::remote {

class RemoteProcess : public Process, public ChannelEvents {
public:
  /// The node; outlives its processes.
  class Owner {
  public:
    virtual ~Owner() = default;
    virtual void refused(RemoteProcess& process) = 0;
    virtual void signal_process(std::size_t index, int number) = 0;
    virtual void process_ended(std::size_t index) = 0;
    virtual void start_failed(const Error& error) = 0;
    virtual void node_heard() = 0;  // whatever came: the node is there
    virtual std::chrono::seconds grace() const = 0;
  };

  /// `key` stands on each stream where the program's own bytes begin; empty: at once.
  RemoteProcess(Owner& owner, Loop& loop, std::size_t index, std::string key);

  /// `place` is the owner's own mark of where the channel is.
  void attach(std::unique_ptr<Channel> channel, void* place);
  struct Detached {
    std::unique_ptr<Channel> channel;
    void* place;
  };
  Detached detach();
  void prepare(std::vector<std::string> words, std::optional<TerminalSize> terminal, ProcessEvents* events);
  void go();       // runs as soon as there is a channel
  void silence();  // no further event reaches the listener

  // Process
  void write(std::string_view bytes) override;
  void close_input() override;
  std::size_t unsent() const override { return started_ ? channel_->unsent() : early_input_.size(); }
  void set_reading(bool reading) override;
  void resize(TerminalSize size) override;
  void signal(int number) override { owner_.signal_process(index_, number); }

  // ChannelEvents
  void on_refused() override { owner_.refused(*this); }
  void on_start_failed(const Error& error) override { owner_.start_failed(error); }
  void on_output(Stream stream, std::string_view bytes) override;
  void on_input_drained() override;
  void on_exit(ExitStatus status) override;
  void on_streams_ended() override;

private:
  struct Noise {
    std::string bytes;      // before the key
    int keys_expected = 1;  // 0: the program's own bytes
  };

  void start_if_possible();
  void deliver(Stream stream, std::string_view bytes);
  void deliver_noise();
  void watch_stragglers();
  void end_stragglers();

  Owner& owner_;
  Loop& loop_;
  std::size_t index_;
  std::string key_;
  std::unique_ptr<Channel> channel_;
  void* place_ = nullptr;
  std::vector<std::string> words_;
  std::optional<TerminalSize> terminal_;
  ProcessEvents* events_ = nullptr;
  bool going_ = false;
  bool started_ = false;
  std::string early_input_;  // given before there was a channel that ran
  bool input_closed_ = false;
  bool reading_ = true;
  Noise noise_[2];
  bool exited_ = false;
  bool streams_ended_ = false;
  int straggler_step_ = 0;
  bool heard_ = false;  // output came since the last of these steps
  Loop::Timer straggler_timer_;
};

}  // namespace jackal::remote
