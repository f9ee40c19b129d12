#include "launch/options.hpp"

#include <algorithm>
#include <limits>

#include "cli/reading.hpp"
#include "jackal/base/text.hpp"
#include "launch/command_line.hpp"
#include "launch/words.hpp"

namespace jackal::launch {
namespace {

using std::chrono::milliseconds;

constexpr int kMostRepeats = 10'000;
constexpr int kMostConnections = 1'000;

Result<int> whole_number(std::string_view flag, std::string_view text, int least, int most) {
  const std::optional<int> number = parse_integer<int>(text);
  if (number && *number >= least && *number <= most) return *number;
  return cli::usage(flag,
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
  return cli::usage(flag, "'" + text + "' is no time in seconds" + (zero_allowed ? "" : " above 0"),
                    "give one, as in " + std::string(flag) + " 10 or " + std::string(flag) + " 2.5");
}

void read_values(cli::Reading& in, Options& out) {
  in.text("--hosts", out.hosts);
  in.text("--hostfile", out.hostfile);
  in.text("--cwd", out.cwd);
  in.text("--python", out.python);
  in.text("--ssh-config", out.ssh_config);
  in.set("--backend", out.backend, cli::backend);
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

void read_lists(cli::Reading& in, Options& out) {
  out.exclude = in.every("--exclude");
  for (const std::string& text : in.every("--env")) {
    Result<std::pair<std::string, std::string>> pair = cli::variable(text);
    if (!pair && !in.error) in.error = pair.error();
    if (pair) out.env.push_back(*std::move(pair));
  }
  for (const std::string& text : in.every("--mpi-arg")) {
    Result<std::vector<std::string>> words = split_words(text, "--mpi-arg");
    if (!words && !in.error) in.error = words.error();
    if (words) out.mpi_args.insert(out.mpi_args.end(), words->begin(), words->end());
  }
}

Action action_of(const cli::Reading& in) {
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
  Result<cli::CommandLine> line = cli::split_command_line(flag_table(), args);
  if (!line) return fail(line.error());
  cli::Reading in(*line);
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
         cli::flags_text(flag_table()) +
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
