#include "jackal/tbdiscovery/setup_script.hpp"

#include <fmt/format.h>

#include "jackal/base/text.hpp"
#include "jackal/remote/quote.hpp"
#include "lines.hpp"

namespace jackal::tbdiscovery {
namespace {

using remote::quote;

constexpr std::string_view kPlaces = R"sh(LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/sbin:/sbin; export PATH
state=${XDG_STATE_HOME:-$HOME/.local/state}/jackal
run=$state/links.running
)sh";

// The lock is a directory; whoever finds one whose process is gone moves it away and takes its place. One
// that was just made, or is handed to the worker, is not signed for a moment; one that stays so was left
// behind.
constexpr std::string_view kLock = R"sh(umask 077
mkdir -p "$state" || { echo "end unwritable $state" >&2; exit; }
tries=0
until mkdir "$run" 2>/dev/null; do
  owner=; [ -s "$run/pid" ] && read -r owner <"$run/pid"
  if [ -n "$owner" ] && kill -0 "$owner" 2>/dev/null; then echo "end busy $owner" >&2; exit; fi
  [ "$tries" -lt 25 ] || { echo "end unwritable $run" >&2; exit; }
  if [ -n "$owner" ] || [ "$tries" -ge 20 ]; then mv "$run" "$run.$$" 2>/dev/null && rm -rf "$run.$$"; fi
  tries=$((tries + 1)); sleep 0.1
done
echo $$ >"$run/pid"
: >"$run/progress"
)sh";

// What we start here must outlive us: a session of its own, or where there is no setsid (macOS) a process
// group of its own, which the shell of macOS gives without a terminal.
constexpr std::string_view kStart = R"sh(now=/dev/null; [ -e "$state/links.json" ] && now=$state/links.json
if ! cmp -s "$run/before" "$now"; then rm -rf "$run"; echo "end changed" >&2; exit; fi
trap ': >"$run/stop"' TERM
if command -v setsid >/dev/null; then
  setsid sh "$run/worker.sh" "$state" "$run" </dev/null >/dev/null 2>&1 3<&- &
else
  set -m; sh "$run/worker.sh" "$state" "$run" </dev/null >/dev/null 2>&1 3<&- & set +m
fi
worker=$!
told() {
  while read -r line <&3; do
    printf '%s\n' "$line" >&2
    case $line in "end "*) exit 0 ;; esac
  done
}
while :; do
  told
  kill -0 "$worker" 2>/dev/null || break
  sleep 0.05 2>/dev/null || sleep 1
done
told
)sh";

constexpr std::string_view kWorker = R"sh(trap '' HUP INT TERM QUIT PIPE
state=$1; run=$2
echo $$ >"$run/pid"
exec >>"$run/progress" 2>/dev/null
if [ "$(id -u)" = 0 ]; then as_root() { "$@"; }; else as_root() { sudo -n "$@"; }; fi
said() { printf '%s\n' "$(head -c 4000 "$run/err" | sed 's/^/said /')"; }
# Told last, through files that are open still: who hears it may begin anew at once.
leave() { rm -rf "$run"; echo "end $1"; exit 0; }
record() {
  if ! [ -s "$run/$1" ]; then rm -f "$state/links.json"; return; fi
  (umask 077; cat "$run/$1" >"$state/links.new") && sync "$state/links.new" &&
    mv -f "$state/links.new" "$state/links.json"
}
back() {
  m=$1; all=1
  while [ "$m" -gt 0 ]; do
    if "undo_$m" >/dev/null 2>"$run/err"; then echo "undone $m"; else echo "left $m"; said; all=0; fi
    m=$((m - 1))
  done
  [ "$all" = 0 ] || record before
}
umask 022
)sh";

constexpr std::string_view kSetUp =
    R"sh(record after || { rm -f "$state/links.new"; leave "unwritable $state/links.json"; }
n=0
while [ "$n" -lt "$steps" ]; do
  if [ -e "$run/stop" ]; then back "$n"; leave stopped; fi
  n=$((n + 1))
  echo "step $n"
  "do_$n" >/dev/null 2>"$run/err" && continue
  echo "failed $n $?"; said
  back $((n - 1)); leave failed
done
n=0
while [ "$n" -lt "$checks" ]; do
  n=$((n + 1))
  "check_$n" >"$run/err" 2>&1 || { sleep 1; "check_$n" >"$run/err" 2>&1; } && continue
  echo "unmet $n"; said
  back "$steps"; leave failed
done
leave done
)sh";

constexpr std::string_view kUndo = R"sh(n=0; end=done
while [ "$n" -lt "$steps" ]; do
  [ -e "$run/stop" ] && leave stopped
  n=$((n + 1))
  echo "step $n"
  "do_$n" >/dev/null 2>"$run/err" && continue
  echo "failed $n $?"; said
  end=failed
done
[ "$end" = failed ] || record after
leave "$end"
)sh";

std::string file_text(const std::string& name, const std::string& mark, const std::string& bytes) {
  if (bytes.empty()) return ": >\"$run/" + name + "\"\n";
  return "cat >\"$run/" + name + "\" <<'" + mark + "'\n" + bytes + mark + "\n";
}

std::string root(const Argv& argv) { return "as_root " + quote(argv); }

std::string function(const std::string& name, std::size_t number, const std::string& body) {
  return fmt::format("{}_{}() {{\n{}\n}}\n", name, number, body);
}

/// What was in the file comes back, not only the file's absence.
std::string write_text(const Step& step, std::size_t number) {
  const auto path = quote(step.change ? step.change->path : step.argv.back());
  return function("do", number,
                  fmt::format("[ ! -e {0} ] || cat {0} >\"$run/old_{1}\" || return\n"
                              "{2} <<'END_OF_FILE' || {{ undo_{1}; false; }}\n{3}END_OF_FILE",
                              path, number, root(step.argv), step.input)) +
         function("undo", number,
                  fmt::format("if [ -e \"$run/old_{0}\" ]; then {1} <\"$run/old_{0}\"; else {2}; fi", number,
                              root(step.argv), root(step.undo)));
}

std::string step_text(const Step& step, std::size_t number) {
  if (!step.input.empty()) return write_text(step, number);
  auto line = root(step.argv);
  if (!step.otherwise.empty()) line += " || " + root(step.otherwise);
  std::string text = function("do", number, line);
  if (!step.undo.empty()) text += function("undo", number, root(step.undo));
  return text;
}

/// The end of line is the shell's: $(…) drops it, and what is expected may hold it.
std::string check_text(const Check& check, std::size_t number) {
  return function("check", number,
                  fmt::format("seen=$({})\necho \"$seen\"\ncase $seen\"\n\" in *{}*) ;; *) false ;; esac",
                              quote(check.argv), quote(check.expect)));
}

std::string worker_text(const SetupJob& job) {
  std::string text(kWorker);
  for (std::size_t i = 0; i < job.steps.size(); ++i) text += step_text(job.steps[i], i + 1);
  for (std::size_t i = 0; i < job.checks.size(); ++i) text += check_text(job.checks[i], i + 1);
  text += fmt::format("steps={}; checks={}\n", job.steps.size(), job.checks.size());
  return text + std::string(job.undoes ? kUndo : kSetUp);
}

std::string words_from(const std::vector<std::string_view>& words, std::size_t first) {
  std::string text;
  for (std::size_t i = first; i < words.size(); ++i)
    text += (text.empty() ? "" : " ") + std::string(words[i]);
  return text;
}

std::string command_of(const Argv& argv) { return "sudo " + quote(argv); }

std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) line += c == '\n' ? std::string("; ") : std::string(1, c);
  return line;
}

}  // namespace

std::string kept_script(System system) {
  return std::string(kPlaces) +
         "show() { [ -s \"$1\" ] || { echo 0; return; }; echo \"$(($(wc -c <\"$1\")))\"; cat \"$1\"; echo; "
         "}\n"
         "show \"$state/links.json\"\nshow " +
         quote(lasting_file(system)) + "\n";
}

Result<Kept> read_kept(std::string_view output, const std::string& node) {
  Kept kept;
  for (std::string* part : {&kept.record, &kept.lasting}) {
    const auto newline = output.find('\n');
    const auto size = newline == std::string_view::npos
                          ? std::nullopt
                          : parse_integer<std::size_t>(output.substr(0, newline));
    const auto rest = size ? output.substr(newline + 1) : std::string_view();
    if (!size || rest.size() < *size) {
      return fail({ErrorCode::bad_input, node, "did not say what earlier set-ups changed there",
                   "See whether ~/.local/state/jackal can be read there."});
    }
    *part = rest.substr(0, *size);
    output = rest.substr(*size == 0 ? 0 : std::min(*size + 1, rest.size()));
  }
  return kept;
}

std::string setup_script(const SetupJob& job) {
  return std::string(kPlaces) + std::string(kLock) + file_text("before", "END_OF_RECORD", job.record_before) +
         file_text("after", "END_OF_RECORD", job.record_after) +
         file_text("worker.sh", "END_OF_WORKER", worker_text(job)) + "exec 3<\"$run/progress\"\n" +
         std::string(kStart);
}

std::optional<std::string> SetupTold::take(std::string_view line) {
  const auto words = words_of(line);
  if (words.empty()) return std::nullopt;
  const auto number = words.size() > 1 ? parse_integer<std::size_t>(words[1]) : std::nullopt;
  const bool is_step = number && *number >= 1 && *number <= job_.steps.size();
  if (words[0] == "step" && is_step) {
    return fmt::format("{}/{} {}", *number, job_.steps.size(), job_.steps[*number - 1].why);
  }
  if (words[0] == "failed" && is_step && !failed_step_) {
    failed_step_ = *number - 1;
    code_ = words.size() > 2 ? std::string(words[2]) : "";
  } else if (words[0] == "unmet" && number && *number >= 1 && *number <= job_.checks.size()) {
    unmet_check_ = *number - 1;
  } else if (words[0] == "undone" && is_step) {
    ++undone_;
    return fmt::format("undone: {}", job_.steps[*number - 1].why);
  } else if (words[0] == "left" && is_step) {
    left_.push_back(*number - 1);
  } else if (words[0] == "said" && said_.size() < 4000 && left_.empty()) {
    said_ += (said_.empty() ? "" : "\n") + std::string(line.substr(std::min<std::size_t>(5, line.size())));
  } else if (words[0] == "end" && words.size() > 1) {
    constexpr std::pair<std::string_view, SetupEnd> kEnds[] = {
        {"done", SetupEnd::done}, {"failed", SetupEnd::failed},   {"stopped", SetupEnd::stopped},
        {"busy", SetupEnd::busy}, {"changed", SetupEnd::changed}, {"unwritable", SetupEnd::unwritable}};
    for (const auto& [name, end] : kEnds) {
      if (words[1] == name) end_ = end;
    }
    if (end_ == SetupEnd::busy || end_ == SetupEnd::unwritable) said_ = words_from(words, 2);
  }
  return std::nullopt;
}

std::optional<Error> SetupTold::error(const std::string& node) const {
  std::string what, hint;
  switch (end_) {
    case SetupEnd::done:
      return std::nullopt;
    case SetupEnd::busy:
      return Error{ErrorCode::io, node, fmt::format("somebody else is setting it up (process {})", said_),
                   "Wait until that has ended, then run this again."};
    case SetupEnd::changed:
      return Error{ErrorCode::io, node, "somebody else has set it up meanwhile", "Run this again."};
    case SetupEnd::unwritable:
      return Error{ErrorCode::io, node,
                   fmt::format("cannot keep the record of its changes ({}), so nothing was changed", said_),
                   "Make room there, and let its user write there."};
    case SetupEnd::stopped:
      what = "was stopped";
      hint = job_.undoes ? "Run it again with --undo for the rest." : "";
      break;
    case SetupEnd::unknown:
      what = "its set-up ended without a word";
      hint = "Run this again: what is done is kept. --undo restores what was.";
      break;
    case SetupEnd::failed:
      if (failed_step_) {
        what = fmt::format("\"{}\" failed with code {}: {}", command_of(job_.steps[*failed_step_].argv),
                           code_, said_.empty() ? "it said nothing" : one_line(said_));
        hint =
            fmt::format("Run that command on {} by hand and see to what it says, then run this again.", node);
      } else {
        const Check& check = job_.checks[unmet_check_.value_or(0)];
        what = fmt::format("all commands succeeded, yet not {}: \"{}\" says {}", check.why, quote(check.argv),
                           said_.empty() ? "nothing" : one_line(said_));
        hint = fmt::format("Something else on {} manages this network; see the problems.", node);
      }
      break;
  }
  if (!left_.empty()) {
    what += "; not undone:";
    for (const auto step : left_) what += fmt::format(" \"{}\"", command_of(job_.steps[step].undo));
    hint += (hint.empty() ? "" : "\n") + fmt::format("{} is half set up: --undo restores what was.", node);
  } else if (!job_.undoes && end_ != SetupEnd::unknown) {
    what += undone_ == 0 ? "; nothing is changed there" : "; what was done before it is undone";
  }
  return Error{ErrorCode::io, node, what, hint};
}

}  // namespace jackal::tbdiscovery
