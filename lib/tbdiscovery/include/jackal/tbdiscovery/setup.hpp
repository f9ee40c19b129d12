// The commands that turn a plan into links, node by node, each with what undoes it. Pure data: the caller
// runs them, or prints them to be pasted. What is already so needs no command.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/tbdiscovery/change.hpp"
#include "jackal/tbdiscovery/map.hpp"
#include "jackal/tbdiscovery/plan.hpp"

namespace jackal::tbdiscovery {

using Argv = std::vector<std::string>;

/// One change, made as root.
struct Step {
  Argv argv;
  Argv otherwise;     // run when argv fails, before giving up; empty: none
  Argv undo;          // restores what was; empty: undone by another step's undo
  std::string input;  // standard input of argv
  std::string why;
  std::optional<Change> change;  // what it changes; none for a step that undoes

  bool operator==(const Step&) const = default;
};

/// What must hold once all steps are done: argv exits 0 and its output holds `expect`.
struct Check {
  Argv argv;
  std::string expect;
  std::string why;

  bool operator==(const Check&) const = default;
};

struct NodeSetup {
  std::size_t node = 0;  // in the map
  std::string name;
  std::vector<Step> steps;
  std::vector<Check> checks;
};

struct SetupOptions {
  bool persist = false;  // also after a restart
  /// By name of the node: what the file of an earlier set-up that lasts holds. It is brought up to date even
  /// without `persist`: left alone, it would bring the old addresses back.
  std::map<std::string, std::string> lasting;
};

/// The file that makes a set-up last on such a system.
std::string lasting_file(System system);

/// One entry a rank, in rank order; none for plans without cables. An error when the commands would cut the
/// connection over which the node was reached.
Result<std::vector<NodeSetup>> make_setup(const ClusterMap& map, const Plan& plan,
                                          const SetupOptions& options = {});

/// The steps that undo these, last first.
std::vector<Step> undo_steps(const std::vector<Step>& steps);

/// The steps that undo what a record says, as far as it is still to be seen.
std::vector<Step> undo_steps(const ChangeRecord& record, const NodeReport& now);

/// The same as lines for a shell, with sudo, ready to paste; empty when there is nothing to do.
std::string shell_text(const NodeSetup& setup);
std::string shell_text(const std::vector<Step>& steps);

}  // namespace jackal::tbdiscovery
