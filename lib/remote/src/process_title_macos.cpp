#include <crt_externs.h>

#include <algorithm>
#include <cstring>

#include "process_title.hpp"

namespace jackal::remote {

CommandLineArea command_line_area() {
  const int count = *::_NSGetArgc();
  char** words = *::_NSGetArgv();
  if (count < 1) return {};
  const char* last = words[count - 1];
  return {words[0], static_cast<std::size_t>(last + std::strlen(last) + 1 - words[0])};
}

// The short name, which `pkill NAME` and `killall NAME` match, cannot be changed here: only `pkill -f` is
// kept from the guard.
void rename_process(const CommandLineArea& area, const char* name) {
  if (area.size == 0) return;
  std::memset(area.begin, 0, area.size);
  std::memcpy(area.begin, name, std::min(std::strlen(name), area.size - 1));
}

}  // namespace jackal::remote
