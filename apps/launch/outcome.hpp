// How a job ended: the exit code of launch and what it says last. Decided from the endings of its ranks in
// the order in which they arrived, and from why the job was stopped, if it was. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/remote/node.hpp"

namespace jackal::launch {

enum class How {
  exited,       // by itself; number is its exit code
  signalled,    // by a signal that was not ours; number is that signal
  lost,         // its host is gone; detail says how
  stopped,      // after we had told it to stop, however it then ended
  abandoned,    // told to stop and not seen to end
  not_started,  // the job ended before its turn
};

struct Ending {
  int rank = 0;
  How how = How::exited;
  int number = 0;
  std::chrono::milliseconds after{0};  // since its start
  std::string stderr_tail;             // its last bytes there
  std::string path;                    // PATH as the rank had it, where the number is 126 or 127
  std::string detail;                  // of lost: what went wrong, unless it is the conclusion's error
};

/// What made launch stop the ranks before they ended by themselves.
enum class Stop {
  none,           // nothing: each ended in its own time
  first_failure,  // the first ending that is none of success
  interrupted,    // Ctrl-C or a signal to launch
  timed_out,      // --timeout
  failed,         // an error of launch: host unreachable, output not writable, a bug of ours
};

struct Conclusion {
  Stop stop = Stop::none;
  std::optional<Error> error;            // of Stop::failed
  std::chrono::milliseconds timeout{0};  // of Stop::timed_out
  std::vector<std::string> hosts;        // of each rank
  bool through_mpirun = false;           // the only ending is mpirun's
  std::vector<Ending> endings;           // in order of arrival
};

struct Outcome {
  int exit_code = 0;
  std::vector<std::string> lines;  // for stderr, without newlines; the last names the first failure
};

/// Every rank with exit code 0 is success even after a Ctrl-C, which a program may take for its own.
Outcome decide(const Conclusion& conclusion);

/// For what ends launch before any rank runs: a usage error, a bad host file, …
Outcome decide(const Error& error);

/// By this signal, or by a code with which a shell says that its command was.
bool ended_by(remote::ExitStatus status, int signal_number);

/// "SIGKILL", …; "signal 99" for one without a name.
std::string signal_name(int number);

/// "340 ms", "1.2 s", "2 min 5 s", "3 h 2 min".
std::string duration_text(std::chrono::milliseconds time);

}  // namespace jackal::launch
