// The command line of distributed-config(1), read and checked. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/remote/node.hpp"
#include "jackal/tbdiscovery/request.hpp"

namespace jackal::distributed_config {

enum class Action { plan, check, undo, help, version };

struct Options {
  Action action = Action::plan;
  std::optional<std::string> hosts;     // as given, ranges and all
  std::optional<std::string> hostfile;  // never together with hosts
  std::vector<std::string> exclude;     // one entry a flag, as given
  bool ignore_unreachable = false;
  std::optional<std::string> ssh_config;
  remote::Transport ssh = remote::Transport::libssh;
  std::optional<std::string> from_probes;
  std::optional<std::string> save_probes;  // together with from_probes only to redact them
  bool redact = false;                     // only with save_probes
  tbdiscovery::Request request;
  bool persist = false;  // the set-up outlasts a restart
  std::optional<std::string> output_hostfile;
  std::optional<std::string> check;  // with Action::check
  bool json = false;
  bool dot = false;  // never together with json
  std::optional<std::string> svg;
  std::optional<std::string> report;  // not with Action::check
  bool verbose = false;
};

/// `args` without the program's name. What cannot be carried out is ErrorCode::usage, names the flag and says
/// what would do.
Result<Options> parse_options(const std::vector<std::string>& args);

/// What --help prints, made from the same table that parse_options reads.
std::string help_text();

/// "distributed-config 0.1.0" and a newline.
std::string version_text();

}  // namespace jackal::distributed_config
