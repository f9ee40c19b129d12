// Asks the nodes themselves: all at once, one connection a node, on each all commands at once. Belongs to the
// loop's thread. Nothing is changed on the nodes and nothing stays there.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jackal/remote/loop.hpp"
#include "jackal/remote/node.hpp"
#include "jackal/tbdiscovery/probes.hpp"

namespace jackal::tbdiscovery {

struct LiveProbeOptions {
  std::vector<std::string> nodes;  // as the person named them
  remote::Transport transport = remote::Transport::libssh;
  std::optional<std::filesystem::path> ssh_config;
  /// For all commands of a node; what has ended by then counts, the rest gave nothing.
  std::chrono::milliseconds patience{60'000};
};

class LiveProbe {
public:
  struct Events {
    std::function<void(const std::string& node, const std::string& text)> on_progress;
    std::function<void(std::string)> on_notice;  // a line for the person
    std::function<void(RawProbes)> on_done;  // once, also after cancel(); nodes without answer have failed
  };

  /// Starts at once.
  LiveProbe(remote::Loop& loop, LiveProbeOptions options, Events events);
  ~LiveProbe();
  LiveProbe(const LiveProbe&) = delete;
  LiveProbe& operator=(const LiveProbe&) = delete;

  void cancel();

private:
  class Asked;  // one node
  void node_over();

  remote::Loop& loop_;
  LiveProbeOptions options_;
  Events events_;
  std::vector<std::unique_ptr<Asked>> asked_;
  remote::Loop::Timer telling_;
};

}  // namespace jackal::tbdiscovery
