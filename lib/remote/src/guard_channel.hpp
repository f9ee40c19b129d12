// The guard's own channel: lines with its key are messages, everything else is what a login shell or a tool
// there had to say. Belongs to the loop's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "channel.hpp"

namespace jackal::remote {

class GuardChannel : public ChannelEvents {
public:
  /// The node; outlives its guard.
  class Owner {
  public:
    virtual ~Owner() = default;
    virtual void guard_refused() = 0;
    virtual void start_failed(const Error& error) = 0;
    virtual void node_heard() = 0;  // whatever came: the node is there
    virtual void guard_says(std::string_view message) = 0;
    virtual void guard_lists(std::string_view listener) = 0;  // a line after the message "listeners"
    virtual void guard_exited(ExitStatus status) = 0;
    /// Until then, what it said last is the reason for its end, and is waited for.
    virtual bool begun() const = 0;
  };

  GuardChannel(Owner& owner, std::string key) : owner_(owner), key_(std::move(key)) {}

  const std::string& key() const { return key_; }
  /// Runs `script`, over a new channel; again for a guard that was killed.
  void open(Connection& connection, const std::string& script);
  bool is_open() const { return channel_ != nullptr; }
  void write(std::string_view bytes) { channel_->write(bytes); }
  void close_input() { channel_->close_input(); }

  /// The end of what it said, but for its messages.
  std::string complaints() const;

  // ChannelEvents
  void on_refused() override { owner_.guard_refused(); }
  void on_start_failed(const Error& error) override { owner_.start_failed(error); }
  void on_output(Stream stream, std::string_view bytes) override;
  void on_input_drained() override {}
  void on_exit(ExitStatus status) override;
  void on_streams_ended() override;

private:
  void take_line(const std::string& line);
  void settle();

  Owner& owner_;
  std::string key_;
  std::unique_ptr<Channel> channel_;
  std::string line_;      // of standard output, not yet ended
  bool listing_ = false;  // lines without the key are listeners now
  std::string out_noise_, err_noise_;
  std::optional<ExitStatus> exit_;
  bool streams_ended_ = false;
};

}  // namespace jackal::remote
