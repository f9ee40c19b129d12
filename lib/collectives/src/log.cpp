#include "log.hpp"

#include <unistd.h>

namespace jackal::collectives {

void Log::write(LogLevel level, std::string_view name, std::string_view text) const {
  if (level > level_) return;
  const std::string who = rank_ < 0 ? "" : "rank " + std::to_string(rank_) + ": ";
  std::string line = "jackal: " + who + std::string(name) + ": ";
  // What another machine sent may end up in a message; it must not steer the terminal.
  for (const char c : text) line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  line += '\n';
  // One write, so that lines of several ranks do not mix. A closed stderr is not the job's problem.
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace jackal::collectives
