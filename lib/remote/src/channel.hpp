// What every way to a node offers underneath: connections that run fixed, harmless words ("exec /bin/sh
// FILE") on it. Node speaks the protocol on top; implementations: this machine, libssh, the installed ssh
// program. All of it belongs to the loop's thread. No callback runs inside a call of ours, and none after the
// object is gone.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/remote/node.hpp"

namespace jackal::remote {

/// Who listens to a channel; outlives it.
class ChannelEvents {
public:
  virtual ~ChannelEvents() = default;
  /// This connection takes no further channel (sshd's MaxSessions): open it on another.
  virtual void on_refused() = 0;
  /// Nothing of it runs, since something that it needs here cannot be had; nothing else is told after that.
  virtual void on_start_failed(const Error& error) = 0;
  virtual void on_output(Stream stream, std::string_view bytes) = 0;
  virtual void on_input_drained() = 0;  // everything given to write() has left
  virtual void on_exit(ExitStatus status) = 0;
  virtual void on_streams_ended() = 0;  // no more output follows
};

class Channel {
public:
  virtual ~Channel() = default;
  /// Runs `words`, each of [A-Za-z0-9/._-]; once, at any time after open().
  virtual void exec(const std::vector<std::string>& words, const std::optional<TerminalSize>& terminal) = 0;
  virtual void write(std::string_view bytes) = 0;  // queued without limit: watch unsent()
  virtual void close_input() = 0;                  // after what is queued
  virtual std::size_t unsent() const = 0;
  virtual std::string take_unsent() = 0;       // for another channel, where this one was refused
  virtual void set_reading(bool reading) = 0;  // false: leave output where it is (backpressure)
  virtual void resize(TerminalSize size) = 0;
};

class Connection {
public:
  struct Events {
    std::function<void(std::string address)> on_connected;  // the address reached; empty: through a jump host
    std::function<void(Error)> on_failed;                   // never made, or lost; the last event
    std::function<void(std::string)> on_notice;             // a line for the person
  };
  virtual ~Connection() = default;
  virtual std::unique_ptr<Channel> open(ChannelEvents& events) = 0;
};

/// The installed ssh program. Connections of one node share `control_directory` (for ControlMaster); the
/// first makes it.
std::unique_ptr<Connection> connect_system_ssh(Loop& loop, const NodeOptions& options,
                                               Connection::Events events);

/// libssh, in a library of its own that is loaded here, so that who stays local does not pay for it.
std::unique_ptr<Connection> connect_libssh(Loop& loop, const NodeOptions& options, Connection::Events events);

}  // namespace jackal::remote
