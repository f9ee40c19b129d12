// What a node is told, in POSIX sh: pure text. The guard is one shell per node and job, fed over its own
// channel:
//
//   us → guard   prelude (functions, its directory)            guard → us   KEY hello DIRECTORY, facts
//   us → guard   setup (files, one script a process), "guard"  guard → us   KEY ready
//   us → guard   beat N (at any time from "hello" on)            guard → us   KEY beat N
//   us → guard   sig NAME PROCESS · ended PROCESS
//   us → guard   grace SECONDS, when the end that follows is wanted
//   us → guard   end of file                                   guard ends the groups, removes the directory,
//   exits
//
// Invariants:
// 1. No process runs before the guard watches: its script is started only after "ready".
// 2. A process writes its id before it becomes the program, and only if the guard has not claimed that file;
// so after end
//    of file the guard knows every group, or its process gives up by itself.
// 3. End of file is the only way to end, whether we ask for it, die, or the connection breaks; a watchdog
// does the same
//    when no heartbeat came for the silence.
// 4. Lines of the guard start with a key that only this job knows: whatever a login shell prints is not one
// of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/remote/node.hpp"

namespace jackal::remote {

/// The most that a guard waits after TERM when nobody is there to ask: everything is gone within 10 s of our
/// death.
constexpr std::chrono::seconds kGraceAlone{5};

struct GuardOptions {
  std::string key;  // [A-Za-z0-9]+
  std::string id;   // of the node and job: names the directory
  bool want_busy_ports = false;
  bool want_route_source = false;
  std::chrono::seconds silence{30};  // 0: no watchdog, where nothing but our death can part us
  std::chrono::seconds grace{5};
};

/// Functions, the directory, and the facts asked for.
std::string guard_prelude(const GuardOptions& options);

/// Files and process scripts, then the watch begins.
Result<std::string> guard_setup(const std::string& directory, const std::string& key,
                                const std::vector<Command>& commands);

/// What a second shell does for a guard that was killed: end the groups, remove the directory.
std::string guard_rescue(const GuardOptions& options, const std::string& directory, std::size_t processes);

/// The guard is gone though nobody has asked for it.
Error guard_ended(const std::string& node, ExitStatus status);

/// The words that run process `index`.
std::vector<std::string> process_words(const std::string& directory, std::size_t index);

/// What one line of the guard adds to the facts ("source …", or for want of that "connection …"); others are
/// ignored.
void read_fact(std::string_view line, NodeFacts& facts);
/// The third word of SSH_CONNECTION: the address of its own to which a node was connected; "" for anything
/// else.
std::string server_address(std::string_view connection);
/// One line of ss, netstat or our own reading of /proc/net/tcp; those that are no listener are ignored.
void read_listener(std::string_view line, NodeFacts& facts);

/// A shell command that writes exactly these bytes, NUL included, with nothing but builtins.
std::string printf_command(std::string_view bytes);

}  // namespace jackal::remote
