// What is to run on a node. Data only: how it gets there is node.hpp's business.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "jackal/base/error.hpp"

namespace jackal::remote {

/// A temporary file on the node: mode 0600, in a directory of the job's own, gone when the job ends.
struct File {
  std::string name;      // plain file name, unique within the node's job: [A-Za-z0-9._-]+
  std::string variable;  // the environment variable that holds its path; empty for none
  std::string bytes;

  bool operator==(const File&) const = default;
};

using Environment = std::vector<std::pair<std::string, std::string>>;  // later entries win

/// One program to start. Environment and files travel over the channel and never stand on a command line.
struct Command {
  std::vector<std::string> argv;
  Environment environment;         // added to what a login gives
  std::string directory;           // empty: where a login starts (for this machine: the current directory)
  bool directory_required = true;  // false: where it is missing, start where a login starts
  std::vector<File> files;
  bool terminal = false;  // give it a pseudo-terminal

  bool operator==(const Command&) const = default;
};

/// Whether a shell could export every variable of it; the error names the one that it could not.
Result<void> check_environment(const Command& command);

}  // namespace jackal::remote
