// Asks the nodes themselves: all at once, over connections that somebody else holds, on each all commands at
// once. Belongs to the loop's thread. Nothing is changed on the nodes.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "jackal/remote/loop.hpp"
#include "jackal/remote/shell.hpp"
#include "jackal/tbdiscovery/probes.hpp"

namespace jackal::tbdiscovery {

/// For all commands of a node; what has ended by then counts, the rest gave nothing.
inline constexpr std::chrono::seconds kProbePatience{60};

class LiveProbe {
public:
  struct Events {
    std::function<void(const std::string& node, const std::string& text)> on_progress;
    std::function<void(RawProbes)> on_done;  // once; nodes without answer have failed
  };

  /// Starts at once. The shells outlive it.
  LiveProbe(remote::Loop& loop, const std::vector<remote::Shell*>& shells, std::chrono::milliseconds patience,
            Events events);
  ~LiveProbe();
  LiveProbe(const LiveProbe&) = delete;
  LiveProbe& operator=(const LiveProbe&) = delete;

private:
  class Asked;  // one node
  void node_over();

  remote::Loop& loop_;
  std::chrono::milliseconds patience_;
  Events events_;
  std::vector<std::unique_ptr<Asked>> asked_;
};

}  // namespace jackal::tbdiscovery
