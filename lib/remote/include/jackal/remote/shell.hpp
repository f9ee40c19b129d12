// One shell on a node that is told one script after another over one connection, so that who asks first and
// acts later connects once. Belongs to the loop's thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "jackal/base/error.hpp"
#include "jackal/remote/loop.hpp"
#include "jackal/remote/node.hpp"

namespace jackal::remote {

class Shell : private ProcessEvents {
public:
  struct Events {
    std::function<void(const NodeFacts&)> on_ready;
    std::function<void(std::string)> on_notice;  // a line for the person
  };
  struct Outcome {
    int code = 0;
    std::string out;  // standard output
  };
  /// A script of POSIX sh, run in a subshell without standard input. $JACKAL_PLACE is a path of the node's
  /// own that goes with the connection: "$JACKAL_PLACE.x" may be made.
  struct Run {
    std::string script;
    std::function<void(std::string_view)> on_line;  // a line of standard error, as it comes
    std::function<void(Result<Outcome>)> on_end;    // once; an error when the node was not reached, or lost
  };

  /// Connects at once.
  Shell(Loop& loop, NodeOptions options, Events events);
  ~Shell() override;
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  const std::string& name() const { return name_; }
  /// After those that were given before.
  void run(Run run);
  /// TERM to everything of the script that runs; the shell goes on.
  void terminate();
  /// Gives the node up: what runs or waits ends with this error.
  void abandon(const Error& error);
  /// Ends the shell and what it started, then calls `done`. Bounded in time.
  void finish(std::function<void()> done);

private:
  void begin();
  void next();
  void check_end();
  void end(Result<Outcome> outcome);
  void finish_node();

  void on_output(Stream stream, std::string_view bytes) override;
  void on_input_drained() override {}
  void on_exit(ExitStatus status) override;
  void on_streams_ended() override {}

  Loop& loop_;
  Events events_;
  std::string name_;
  std::string key_;  // marks the end of a script's output; nobody can guess it
  std::unique_ptr<Node> node_;
  Process* process_ = nullptr;  // node_'s
  std::deque<Run> runs_;        // the first is the one that runs, once `running_`
  bool running_ = false;
  std::string out_, err_;
  bool err_ended_ = false;
  std::optional<Error> failure_;
  std::function<void()> finished_;
  Loop::Timer soon_;
};

}  // namespace jackal::remote
