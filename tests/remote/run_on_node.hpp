// Runs commands on a node to their ends, for tests: what came out, and how it ended.
#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "jackal/base/file.hpp"
#include "jackal/base/random.hpp"
#include "jackal/remote/loop.hpp"
#include "jackal/remote/node.hpp"
#include "remote_node.hpp"
#include "shell_connection.hpp"

namespace jackal::remote::test {

struct Ran : ProcessEvents {
  std::string out, err;
  ExitStatus status;
  bool exited = false;
  bool streams_ended = false;
  std::function<void()> changed = [] {};

  void on_output(Stream stream, std::string_view bytes) override {
    (stream == Stream::out ? out : err).append(bytes);
    changed();
  }
  void on_input_drained() override {}
  void on_exit(ExitStatus with) override {
    status = with;
    exited = true;
    changed();
  }
  void on_streams_ended() override {
    streams_ended = true;
    changed();
  }
};

/// One node, its processes, and a loop that runs until a condition or ten seconds.
class OnNode {
public:
  /// An empty `shell_words`: this machine as launch runs it. Otherwise the guard's protocol, with that shell.
  explicit OnNode(std::vector<std::string> shell_words = {}, std::size_t processes = 1) {
    shell.shell = std::move(shell_words);
    options.name = "127.0.0.1";
    options.id = "test-" + to_hex(random_bytes(8));
    options.expected_processes = processes;
    options.grace = std::chrono::seconds(1);
  }

  bool connect() {
    Node::Events events{[this](const NodeFacts& seen) {
                          facts = seen;
                          ready = true;
                          loop.stop();
                        },
                        [this](const Error& error) {
                          failure = error;
                          loop.stop();
                        },
                        [this](const std::string& notice) { notices.push_back(notice); }};
    if (shell.shell.empty()) {
      node = Node::connect(loop, options, std::move(events));
    } else {
      node = make_remote_node(loop, options, std::move(events), [this](Connection::Events connection) {
        ++connections;
        return connect_shell(loop, shell, std::move(connection));
      });
    }
    run_until([this] { return ready || failure; });
    return ready;
  }

  std::vector<Process*> start(const std::vector<Command>& commands) {
    std::vector<Node::Start> starts;
    for (const auto& command : commands) {
      ran.push_back(std::make_unique<Ran>());
      ran.back()->changed = [this] { loop.stop(); };
      starts.push_back({command, ran.back().get(), TerminalSize{100, 30}});
    }
    return node->start(std::move(starts));
  }

  /// The guard's process, once a process of the node runs.
  pid_t guard() const {
    const auto id = read_file("/tmp/jackal-" + options.id + "/guard.pid", 99);
    return id ? std::stoi(*id) : throw std::runtime_error(id.error().text());
  }

  bool ended() const {
    for (const auto& one : ran) {
      if (!one->exited || !one->streams_ended) return false;
    }
    return true;
  }

  Node::Finished finish() {
    Node::Finished result;
    bool done = false;
    node->finish([&](Node::Finished finished) {
      result = std::move(finished);
      done = true;
      loop.stop();
    });
    run_until([&] { return done; });
    return result;
  }

  /// False when the condition did not come true within ten seconds.
  template <class Condition>
  bool run_until(Condition condition) {
    bool late = false;
    const auto timer = loop.after(std::chrono::seconds(10), [&] {
      late = true;
      loop.stop();
    });
    while (!condition() && !late) {
      const auto tick = loop.after(std::chrono::milliseconds(10), [&] { loop.stop(); });
      loop.run();
    }
    return condition();
  }

  Loop loop;
  NodeOptions options;
  ShellOptions shell;
  int connections = 0;
  std::unique_ptr<Node> node;
  NodeFacts facts;
  bool ready = false;
  std::optional<Error> failure;
  std::vector<std::string> notices;
  std::vector<std::unique_ptr<Ran>> ran;
};

inline Command sh(const std::string& script) { return {{"sh", "-c", script}, {}, "", true, {}, false}; }

}  // namespace jackal::remote::test
