// What ps and pkill see of a fork of ours that goes on without exec, so that who ends launch by its name ends
// launch alone.
#pragma once

#include <cstddef>

namespace jackal::remote {

/// Where the system reads a process's command line from. Found before the fork; empty where it cannot be.
struct CommandLineArea {
  char* begin = nullptr;
  std::size_t size = 0;
};
CommandLineArea command_line_area();

/// Between fork and whatever follows. Async-signal-safe.
void rename_process(const CommandLineArea& area, const char* name);

}  // namespace jackal::remote
