// The command line of launch(1), read and checked: everything below works on these values and never on text
// that a person typed. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/hostfile/hostfile.hpp"
#include "jackal/remote/command.hpp"

namespace jackal::launch {

enum class Action { launch, dry_run, print_python, help, version };
enum class SshProgram { libssh, system };
enum class StdinTo { all, none };

/// What the command line's meaning depends on and does not say itself. surroundings.hpp fills it in.
struct Surroundings {
  int columns = 0;  // of the terminal that standard output is, or as COLUMNS and LINES say; 0: unknown
  int lines = 0;
  std::string directory;           // the current one; empty: unknown
  std::string python = "python3";  // the first python3 of PATH, absolute
  bool command_is_script = false;  // the command's first word is a *.py file that needs an interpreter

  bool operator==(const Surroundings&) const = default;
};

struct Options {
  Action action = Action::launch;

  std::optional<std::string> hosts;     // as given, ranges and all
  std::optional<std::string> hostfile;  // never together with hosts
  std::vector<std::string> exclude;     // one entry a flag, as given
  int repeat = 1;

  std::optional<hostfile::Backend> backend;
  int connections_per_ip = 1;
  std::optional<std::uint16_t> starting_port;
  std::optional<std::uint16_t> nccl_port;
  std::vector<std::string> mpi_args;  // split into words

  remote::Environment env;
  std::optional<std::string> cwd;
  std::optional<std::string> python;
  StdinTo stdin_to = StdinTo::all;
  bool pty = false;

  std::chrono::milliseconds grace{5000};             // between TERM and KILL
  std::optional<std::chrono::milliseconds> timeout;  // of the whole job

  std::optional<std::string> ssh_config;
  SshProgram ssh = SshProgram::libssh;

  bool json = false;  // with Action::dry_run
  bool verbose = false;
  std::vector<std::string> command;  // not empty for launch and dry_run

  Surroundings surroundings;
};

/// `args` without the program's name. What cannot be carried out is ErrorCode::usage, names the flag and says
/// what would do.
Result<Options> parse_options(const std::vector<std::string>& args);

/// What --help prints, made from the same table that parse_options reads.
std::string help_text();

/// "launch 0.1.0" and a newline.
std::string version_text();

/// What --print-python prints: --python, else the interpreter that a script would get.
std::string python_for(const Options& options);

/// The words to run on a node: the command, behind the interpreter where one was asked for or is needed.
std::vector<std::string> command_words(const Options& options);

}  // namespace jackal::launch
