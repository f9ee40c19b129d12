// Runs a program of this machine and collects what it writes to stdout.
#pragma once

#include <string>
#include <vector>

namespace jackal::remote::test {

struct Output {
  std::string bytes;
  int status = 0;  // as exit codes: 128 + signal for one that was killed
};

/// With nothing on stdin and no stderr. REQUIREs that it starts.
Output output_of(std::vector<std::string> argv);

bool is_installed(const std::string& program);

}  // namespace jackal::remote::test
