// The connections to all nodes, one each, for everything that one run asks and does there. Each call blocks
// until every node has answered or is lost. An interrupt ends what runs: what set-up scripts do then is
// their business (setup_script.hpp), and they are waited for.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "distributed-config/options.hpp"
#include "jackal/remote/shell.hpp"
#include "jackal/tbdiscovery/probes.hpp"

namespace jackal::distributed_config {

class Nodes {
public:
  Nodes(const Options& options, const std::vector<std::string>& names);
  ~Nodes();
  Nodes(const Nodes&) = delete;
  Nodes& operator=(const Nodes&) = delete;

  /// Nodes that did not answer have their failure in them.
  tbdiscovery::RawProbes probe();

  using Scripts = std::map<std::string, std::string>;  // name → script
  using Answers = std::map<std::string, Result<remote::Shell::Outcome>>;
  using OnLine = std::function<void(const std::string& name, std::string_view line)>;
  Answers tell(
      const Scripts& scripts, const OnLine& on_line = [](const auto&, auto) {});

  /// Lets time pass, unless interrupted.
  void wait(std::chrono::milliseconds time);
  bool interrupted() const { return interrupts_ > 0; }
  /// Ends the connections. Nothing may be asked after it.
  void finish();

private:
  void interrupt();
  /// What runs on a node that tells nothing for long is ended, and where it does not end, the node given up.
  [[nodiscard]] remote::Loop::Timer end_when_silent(remote::Shell& shell, remote::Loop::Timer& timer);

  const Options& options_;
  bool tell_progress_;
  remote::Loop loop_;
  std::set<std::string> notices_;
  std::vector<std::unique_ptr<remote::Shell>> shells_;
  int interrupts_ = 0;
  bool probing_ = false;
  remote::Loop::Timer patience_;  // for what was told to end
};

}  // namespace jackal::distributed_config
