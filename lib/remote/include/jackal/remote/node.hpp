// "Run this argv, with this environment, in this directory, on that node, feed it this, give me its bytes,
// tell me how it ended" – and whatever happens to us or to the network, leave nothing there. A guard in plain
// POSIX sh keeps that promise on the node; nothing is installed. Everything here belongs to the loop's
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/remote/command.hpp"
#include "jackal/remote/loop.hpp"

namespace jackal::remote {

enum class Stream { out, err };

struct ExitStatus {
  bool signalled = false;
  int number = 0;  // exit code, or the signal that ended it

  bool operator==(const ExitStatus&) const = default;
};

struct TerminalSize {
  int columns = 80;
  int rows = 24;
};

enum class Transport { libssh, system_ssh };

struct NodeOptions {
  std::string
      name;  // what the person typed: alias, user@host, address; 127.0.0.1, ::1 and localhost mean no SSH
  std::string id;  // unique per node and job: [A-Za-z0-9-]+, names the directory of its temporary files
  Transport transport = Transport::libssh;
  std::optional<std::filesystem::path> ssh_config;  // as ssh -F
  std::size_t expected_processes = 1;               // to open as many connections as they will need at once
  bool want_busy_ports = false;
  std::chrono::milliseconds connect_timeout{
      10'000};  // name look-up and TCP; the configuration's ConnectTimeout wins
  std::chrono::milliseconds authenticate_timeout{15'000};  // key exchange and authentication
  std::chrono::milliseconds start_timeout{20'000};         // until the guard answers
  std::chrono::milliseconds heartbeat{5'000};
  std::chrono::milliseconds silence{
      30'000};                    // either side gives the other up after so long without a heartbeat
  std::chrono::seconds grace{5};  // TERM, then KILL, when the guard has to end processes
};

/// True for the names that mean this machine, reached without SSH.
bool is_this_machine(std::string_view name);

/// What a node says of itself before anything is started there.
struct NodeFacts {
  std::string address;       // to which our connection went; empty behind a jump host
  std::string route_source;  // source address of its default route, or for want of one the address
                             // of its own that sshd was reached at; empty when unknown
  std::vector<std::uint16_t> busy_ports;  // TCP ports that somebody listens on, where asked for
};

/// Who listens to a process; outlives it.
class ProcessEvents {
public:
  virtual ~ProcessEvents() = default;
  virtual void on_output(Stream stream, std::string_view bytes) = 0;
  virtual void on_input_drained() = 0;
  virtual void on_exit(ExitStatus status) = 0;
  virtual void on_streams_ended() = 0;  // after on_exit or before; both always come, unless the node fails
};

class Process {
public:
  virtual ~Process() = default;
  virtual void write(std::string_view bytes) = 0;  // queued without limit: watch unsent()
  virtual void close_input() = 0;                  // after what is queued
  virtual std::size_t unsent() const = 0;
  virtual void set_reading(bool reading) = 0;
  virtual void resize(TerminalSize size) = 0;
  virtual void signal(int signal_number) = 0;  // to its whole process group
};

class Node {
public:
  struct Events {
    std::function<void(const NodeFacts&)> on_ready;  // processes may be started
    std::function<void(Error)> on_failed;        // no way there, or lost: no process of it says anything more
    std::function<void(std::string)> on_notice;  // a line for the person
  };

  /// Connects at once.
  static std::unique_ptr<Node> connect(Loop& loop, NodeOptions options, Events events);
  virtual ~Node() = default;

  struct Start {
    Command command;
    ProcessEvents* events;
    std::optional<TerminalSize> terminal;  // used where command.terminal
  };
  /// Starts them all, once, after on_ready. Files of the same name are the same file.
  virtual std::vector<Process*> start(std::vector<Start> starts) = 0;

  struct Finished {
    std::vector<std::string> left_over;  // what could not be ended, in words
    bool coordinator_busy = false;       // a job said so by a file "coordinator-busy" beside its own
    std::vector<std::string>
        search_paths;  // of each process whose program was not found: its PATH; else empty
  };
  /// Ends what is left of the process groups (TERM, then KILL after the grace), removes the files, then calls
  /// `done`. Bounded in time.
  virtual void finish(std::function<void(Finished)> done) = 0;
};

}  // namespace jackal::remote
