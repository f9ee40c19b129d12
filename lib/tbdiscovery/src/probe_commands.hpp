// Which commands a node is asked to run, as one script for its sh, and what that script's output means. Pure.
//
// The script runs all commands at once, says "done FILE" on standard error as each ends, and prints at the
// end one frame a command: "file FILE EXIT OUTBYTES ERRBYTES", a newline, the bytes of both, a newline; then
// "end". Ended by TERM, it prints what the commands gave so far; those that had not ended have no EXIT ("-").
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/tbdiscovery/probes.hpp"

namespace jackal::tbdiscovery {

struct ProbeCommand {
  std::string_view file;
  std::vector<std::string> argv;
  std::string_view instead_of;  // run only where the command of that file printed nothing; empty: always
};

const std::vector<ProbeCommand>& macos_commands();
const std::vector<ProbeCommand>& linux_commands();

/// For sh, in a remote::Shell.
std::string probe_script();

/// Its frames, each with its argv; any other name is an error.
Result<std::map<std::string, ProbeOutput>> read_probe_frames(std::string_view text);

}  // namespace jackal::tbdiscovery
