// The table of launch's flags and what follows from it alone: which words are flags, which their values,
// where the command begins, and the text of --help. What the values mean is options.cpp's business. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"

namespace jackal::launch {

struct CommandLine {
  std::map<std::string, std::vector<std::string>> flags;  // "--hosts" → its values in order; [""] without one
  std::vector<std::string> command;

  bool has(const std::string& flag) const { return flags.count(flag) != 0; }
};

/// Flags come first, in any order; `--` or the first word that is none begins the command, whose own flags
/// are left alone. A flag may be cut short as long as it stays unique.
Result<CommandLine> split_command_line(const std::vector<std::string>& args);

/// The table as text, a group a paragraph, at most 80 columns.
std::string flags_text();

}  // namespace jackal::launch
