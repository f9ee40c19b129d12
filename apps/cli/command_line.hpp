// A tool's table of flags and what follows from it alone: which words are flags, which their values, where a
// command begins, and the text of --help. What the values mean is each tool's business. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"

namespace jackal::cli {

struct Flag {
  std::string names;  // "--hosts", "-p,--starting-port"
  std::string type;   // of its value, as --help shows it; empty: it takes none
  std::string description;
};

struct Group {
  std::string name;
  std::vector<Flag> flags;
};

struct Table {
  std::string program;
  std::vector<Group> groups;
  bool takes_command = false;  // words after the flags are a command
  std::string free_form;       // the one flag whose value may look like a flag; empty: none
  std::string operand = "";    // what the words between the flags are called; empty: there are none
};

struct CommandLine {
  std::map<std::string, std::vector<std::string>> flags;  // "--hosts" → its values in order; [""] without one
  std::vector<std::string> command;                       // empty unless the table takes one
  std::vector<std::string> operands;                      // empty unless the table has some

  bool has(const std::string& flag) const { return flags.count(flag) != 0; }
};

/// Flags come first, in any order; `--` or the first word that is none begins the command, whose own flags
/// are left alone. Where the table has operands, flags and they may stand in any order. A flag may be cut
/// short as long as it stays unique.
Result<CommandLine> split_command_line(const Table& table, const std::vector<std::string>& args);

/// The table as text, a group a paragraph, at most 80 columns.
std::string flags_text(const Table& table);

}  // namespace jackal::cli
