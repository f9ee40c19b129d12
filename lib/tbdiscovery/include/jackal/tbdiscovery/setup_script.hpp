// How the steps of one node are carried out there: a script that takes a lock, writes the record of what it
// is about to change, and starts a worker in a session of its own. From then on the node needs nobody:
// whether the connection breaks or this program is killed, the worker comes to its end, and that end is one
// of two: all steps done, or all of them undone. Pure; what the script tells comes line by line into
// SetupTold.
//
//   $XDG_STATE_HOME/jackal/links.json      the record (change.hpp); there as long as there is something to
//   undo $XDG_STATE_HOME/jackal/links.running/  lock and files of a worker; stale when its process is gone
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/tbdiscovery/change.hpp"
#include "jackal/tbdiscovery/setup.hpp"

namespace jackal::tbdiscovery {

/// What a node keeps of earlier set-ups.
struct Kept {
  std::string record;   // the text of links.json; empty: none
  std::string lasting;  // the text of lasting_file(); empty: none
};

/// Prints what the node keeps.
std::string kept_script(System system);
Result<Kept> read_kept(std::string_view output, const std::string& node);

struct SetupJob {
  std::vector<Step> steps;
  std::vector<Check> checks;  // after the steps; one that does not hold undoes them
  std::string record_before;  // as kept_script printed it: another one there now is a refusal
  std::string record_after;   // in place before the first step
  /// The steps undo an earlier set-up: one that fails does not keep the others from their turn, and the
  /// record goes when all are done.
  bool undoes = false;
};

std::string setup_script(const SetupJob& job);

/// How a node's worker came to its end.
enum class SetupEnd {
  unknown,  // it has not said so
  done,
  failed,      // at a step or check
  stopped,     // because it was told to
  busy,        // somebody else is setting the node up
  changed,     // somebody else has set it up since it was asked
  unwritable,  // the record cannot be kept
};

class SetupTold {
public:
  explicit SetupTold(const SetupJob& job) : job_(job) {}

  /// A line of the script; what to tell the person, or nothing.
  std::optional<std::string> take(std::string_view line);

  SetupEnd end() const { return end_; }
  /// What went wrong on `node`, with the command, what it said, and what to do; nullopt when all went well.
  std::optional<Error> error(const std::string& node) const;

private:
  const SetupJob& job_;
  SetupEnd end_ = SetupEnd::unknown;
  std::optional<std::size_t> failed_step_, unmet_check_;
  std::string code_, said_;
  std::vector<std::size_t> left_;  // steps whose undoing failed
  std::size_t undone_ = 0;
};

}  // namespace jackal::tbdiscovery
