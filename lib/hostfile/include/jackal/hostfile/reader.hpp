// Reads a host file. Input is never trusted: every error names file:line:column and the JSON pointer, what
// was found and what was expected.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/hostfile/hostfile.hpp"

namespace jackal::hostfile {

struct ReadOptions {
  /// The backend of the command line, which beats the file's. The device matrix is checked only for a backend
  /// that uses it: jaccl and jaccl-ring, which need one unless there is but one host, and jackal where the
  /// matrix is present.
  std::optional<Backend> backend;
};

struct ReadResult {
  Hostfile hostfile;
  std::vector<std::string> warnings;  // whole lines; e.g. ranks of one host that are not adjacent
};

/// `name` stands in messages for the file's path.
Result<ReadResult> parse(std::string_view text, std::string_view name, const ReadOptions& options = {});
Result<ReadResult> read(const std::filesystem::path& path, const ReadOptions& options = {});

}  // namespace jackal::hostfile
