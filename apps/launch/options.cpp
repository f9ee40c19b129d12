#include "launch/options.hpp"

#include <algorithm>
#include <limits>

#include "jackal/base/text.hpp"
#include "launch/command_line.hpp"
#include "launch/words.hpp"

namespace jackal::launch {
namespace {

using std::chrono::milliseconds;

constexpr int kMostRepeats = 10'000;
constexpr int kMostConnections = 1'000;

tl::unexpected<Error> usage(std::string_view flag, std::string what, std::string hint) {
  return fail({ErrorCode::usage, std::string(flag), std::move(what), std::move(hint)});
}

bool is_variable_name(std::string_view name) {
  const auto is_part = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(), is_part);
}

Result<int> whole_number(std::string_view flag, std::string_view text, int least, int most) {
  const std::optional<int> number = parse_integer<int>(text);
  if (number && *number >= least && *number <= most) return *number;
  return usage(flag,
               "'" + std::string(text) + "' is no whole number from " + std::to_string(least) + " to " +
                   std::to_string(most),
               "give one, as in " + std::string(flag) + " " + std::to_string(std::max(least, 2)));
}

// "5", "0.25", "10." is not one. Milliseconds, rounded up, so that a tiny time stays more than none.
std::optional<milliseconds> parse_seconds(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::string_view whole_text = text.substr(0, point);
  const std::optional<std::uint32_t> whole = parse_integer<std::uint32_t>(whole_text);
  if (!whole || *whole > 1'000'000'000) return std::nullopt;
  std::int64_t total = std::int64_t{*whole} * 1000;
  if (point == std::string_view::npos) return milliseconds(total);
  const std::string_view fraction = text.substr(point + 1);
  if (fraction.empty() || fraction.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  std::int64_t scale = 100;
  bool rest = false;
  for (const char digit : fraction) {
    total += (digit - '0') * scale;
    rest = rest || (scale == 0 && digit != '0');
    scale /= 10;
  }
  return milliseconds(total + (rest ? 1 : 0));
}

Result<milliseconds> seconds(std::string_view flag, const std::string& text, bool zero_allowed) {
  const std::optional<milliseconds> time = parse_seconds(text);
  if (time && (zero_allowed || time->count() > 0)) return *time;
  return usage(flag, "'" + text + "' is no time in seconds" + (zero_allowed ? "" : " above 0"),
               "give one, as in " + std::string(flag) + " 10 or " + std::string(flag) + " 2.5");
}

Result<std::pair<std::string, std::string>> variable(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) {
    return usage("--env",
                 "'" + text + "' has no =", "write --env " + text + "=VALUE; the value may be empty");
  }
  const std::string name = text.substr(0, equals);
  if (!is_variable_name(name)) {
    return usage("--env", "'" + name + "' is no name of a variable",
                 "use letters, digits and _, and no digit first");
  }
  return std::pair{name, text.substr(equals + 1)};
}

/// Reads one flag after the other into the options and keeps the first error.
class Reading {
public:
  explicit Reading(const CommandLine& line) : line_(line) {}

  std::optional<Error> error;

  bool has(const std::string& flag) const { return line_.has(flag); }

  std::optional<std::string> last(const std::string& flag) const {
    const auto found = line_.flags.find(flag);
    if (found == line_.flags.end()) return std::nullopt;
    return found->second.back();
  }

  std::vector<std::string> every(const std::string& flag) const {
    const auto found = line_.flags.find(flag);
    return found == line_.flags.end() ? std::vector<std::string>{} : found->second;
  }

  /// Where `read` makes a value of the flag's text, puts it into `target`.
  template <class Target, class Read>
  void set(const std::string& flag, Target& target, Read read) {
    const std::optional<std::string> text = last(flag);
    if (!text || error) return;
    auto value = read(*text);
    if (value) {
      target = static_cast<Target>(*std::move(value));
    } else {
      error = value.error();
    }
  }

  void text(const std::string& flag, std::optional<std::string>& target) {
    set(flag, target, [&](const std::string& value) -> Result<std::string> {
      if (!value.empty()) return value;
      return usage(flag, "its value is empty", "give one, or leave the flag out");
    });
  }

  /// One of `words`, in the order of the enumeration's values.
  template <class Enum>
  void choice(const std::string& flag, Enum& target, const std::vector<std::string>& words) {
    set(flag, target, [&](const std::string& value) -> Result<Enum> {
      const auto found = std::find(words.begin(), words.end(), value);
      if (found != words.end()) return static_cast<Enum>(found - words.begin());
      return usage(flag, "'" + value + "' is neither " + words[0] + " nor " + words[1],
                   "write " + flag + " " + words[0] + " or " + flag + " " + words[1]);
    });
  }

private:
  const CommandLine& line_;
};

Result<hostfile::Backend> backend(const std::string& name) {
  if (const auto known = hostfile::backend_from(name)) return *known;
  const std::string near = hostfile::backend_suggestion(name);
  return usage("--backend", "'" + name + "' is no backend",
               near.empty() ? "it is one of " + std::string(hostfile::backend_names()) : near);
}

void read_values(Reading& in, Options& out) {
  in.text("--hosts", out.hosts);
  in.text("--hostfile", out.hostfile);
  in.text("--cwd", out.cwd);
  in.text("--python", out.python);
  in.text("--ssh-config", out.ssh_config);
  in.set("--backend", out.backend, backend);
  in.set("--repeat-hosts", out.repeat,
         [](const std::string& text) { return whole_number("--repeat-hosts", text, 1, kMostRepeats); });
  in.set("--connections-per-ip", out.connections_per_ip, [](const std::string& text) {
    return whole_number("--connections-per-ip", text, 1, kMostConnections);
  });
  for (const auto& [flag, port] :
       {std::pair{"--starting-port", &out.starting_port}, std::pair{"--nccl-port", &out.nccl_port}}) {
    in.set(flag, *port, [flag = flag](const std::string& text) {
      return whole_number(flag, text, 1, std::numeric_limits<std::uint16_t>::max()).map([](int number) {
        return static_cast<std::uint16_t>(number);
      });
    });
  }
  in.set("--grace", out.grace, [](const std::string& text) { return seconds("--grace", text, true); });
  in.set("--timeout", out.timeout, [](const std::string& text) { return seconds("--timeout", text, false); });
  in.choice("--ssh", out.ssh, {"libssh", "system"});
  in.choice("--stdin", out.stdin_to, {"all", "none"});
}

void read_lists(Reading& in, Options& out) {
  out.exclude = in.every("--exclude");
  for (const std::string& text : in.every("--env")) {
    Result<std::pair<std::string, std::string>> pair = variable(text);
    if (!pair && !in.error) in.error = pair.error();
    if (pair) out.env.push_back(*std::move(pair));
  }
  for (const std::string& text : in.every("--mpi-arg")) {
    Result<std::vector<std::string>> words = split_words(text, "--mpi-arg");
    if (!words && !in.error) in.error = words.error();
    if (words) out.mpi_args.insert(out.mpi_args.end(), words->begin(), words->end());
  }
}

Action action_of(const Reading& in) {
  if (in.has("--help")) return Action::help;
  if (in.has("--version")) return Action::version;
  if (in.has("--print-python")) return Action::print_python;
  return in.has("--dry-run") ? Action::dry_run : Action::launch;
}

std::optional<Error> contradiction(const Options& options) {
  if (options.hosts && options.hostfile) {
    return Error{ErrorCode::usage, "--hosts", "a host file is given as well, which names the hosts too",
                 "give one of --hosts and --hostfile; --exclude leaves hosts of a file out"};
  }
  if (options.json && options.action == Action::launch) {
    return Error{ErrorCode::usage, "--json", "it says how --dry-run prints, and there is no --dry-run",
                 "add --dry-run, or leave --json out"};
  }
  const bool runs = options.action == Action::launch || options.action == Action::dry_run;
  if (runs && (options.command.empty() || options.command.front().empty())) {
    return Error{ErrorCode::usage, "", "no command to run",
                 "launch [flags] [--] command…, as in: launch -n 4 -- python3 train.py"};
  }
  return std::nullopt;
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& args) {
  Result<CommandLine> line = split_command_line(args);
  if (!line) return fail(line.error());
  Reading in(*line);
  Options options;
  options.action = action_of(in);
  options.pty = in.has("--pty");
  options.json = in.has("--json");
  options.verbose = in.has("--verbose");
  read_values(in, options);
  read_lists(in, options);
  if (in.error) return fail(*in.error);
  options.command = std::move(line->command);
  if (const std::optional<Error> error = contradiction(options)) return fail(*error);
  return options;
}

std::string help_text() {
  return "Usage: launch [flags] [--] command…\n"
         "Runs the command as the ranks of one job, on this machine or on many.\n" +
         flags_text() +
         "\nExit code: 0 when every rank exited 0, else the first failing rank's (128+S for\n"
         "signal S); 64 usage, 65 bad host file, 69 host unreachable or lost, 70 internal,\n"
         "74 output cannot be written, 124 timed out, 130 interrupted.\n"
         "\nExamples:\n"
         "  launch -n 4 -- python3 train.py\n"
         "  launch --hosts mac[1-4] --env HF_HUB_OFFLINE=1 -- mlx_lm.chat\n"
         "  launch --hostfile hosts.json --dry-run -- ./all_sum\n"
         "\nmore: man launch\n";
}

std::string version_text() { return "launch " JACKAL_VERSION "\n"; }

std::string python_for(const Options& options) {
  return options.python ? *options.python : options.surroundings.python;
}

std::vector<std::string> command_words(const Options& options) {
  std::vector<std::string> words = options.command;
  if (options.python || options.surroundings.command_is_script) {
    words.insert(words.begin(), python_for(options));
  }
  return words;
}

}  // namespace jackal::launch
