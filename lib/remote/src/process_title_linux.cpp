#include <sys/prctl.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "process_title.hpp"

namespace jackal::remote {

CommandLineArea command_line_area() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  // After the name, which may hold anything: arg_start and arg_end are fields 48 and 49 of proc(5), the state
  // is the third.
  std::istringstream rest(line.substr(std::min(line.rfind(')') + 1, line.size())));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  constexpr std::size_t kBegin = 48 - 3, kEnd = 49 - 3;
  if (fields.size() <= kEnd) return {};
  const std::uintptr_t begin = std::stoull(fields[kBegin]), end = std::stoull(fields[kEnd]);
  return begin == 0 || end <= begin ? CommandLineArea{}
                                    : CommandLineArea{reinterpret_cast<char*>(begin), end - begin};
}

void rename_process(const CommandLineArea& area, const char* name) {
  ::prctl(PR_SET_NAME, name);
  if (area.size == 0) return;
  // The last byte stays 0: otherwise the kernel would show what follows, our environment.
  std::memset(area.begin, 0, area.size);
  std::memcpy(area.begin, name, std::min(std::strlen(name), area.size - 1));
}

}  // namespace jackal::remote
