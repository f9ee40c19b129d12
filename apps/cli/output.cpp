#include "cli/output.hpp"

#include <cerrno>
#include <cstdio>

namespace jackal::cli {

Result<void> print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return {};
  return fail({ErrorCode::io, "", "cannot write to standard output: " + errno_text(errno), ""});
}

}  // namespace jackal::cli
