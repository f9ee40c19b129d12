#include "launch/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include "jackal/base/exit_code.hpp"

namespace jackal::launch {
namespace {

constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;
constexpr int kSignalBase = 128;
constexpr std::size_t kTailLines = 10;

bool is_failure(const Ending& ending) {
  switch (ending.how) {
    case How::exited:
      return ending.number != 0;
    case How::signalled:
    case How::lost:
      return true;
    case How::stopped:
    case How::abandoned:
    case How::not_started:
      return false;
  }
  return false;
}

int code_of(const Ending& ending) {
  switch (ending.how) {
    case How::exited:
      return ending.number;
    case How::signalled:
      return kSignalBase + ending.number;
    case How::lost:
      return kExitUnreachable;
    case How::stopped:
    case How::abandoned:
    case How::not_started:
      break;
  }
  return kExitInternal;
}

std::string plural(std::size_t count) { return count == 1 ? "" : "s"; }

/// "rank 1", "ranks 0, 2–5 and 9": a range where three or more follow each other.
std::string ranks_text(std::vector<int> ranks) {
  std::sort(ranks.begin(), ranks.end());
  std::vector<std::string> parts;
  for (std::size_t first = 0; first < ranks.size();) {
    std::size_t last = first;
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1) ++last;
    if (last - first >= 2) {
      parts.push_back(fmt::format("{}-{}", ranks[first], ranks[last]));
    } else {
      for (std::size_t index = first; index <= last; ++index) parts.push_back(std::to_string(ranks[index]));
    }
    first = last + 1;
  }
  std::string text = "rank" + plural(ranks.size()) + " ";
  for (std::size_t index = 0; index < parts.size(); ++index) {
    if (index > 0) text += index + 1 == parts.size() ? " and " : ", ";
    text += parts[index];
  }
  return text;
}

/// The last lines as a terminal would have left them: without what a carriage return overwrote.
std::vector<std::string> tail_lines(const std::string& tail) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  while (start < tail.size()) {
    const std::size_t newline = std::min(tail.find('\n', start), tail.size());
    std::string line = tail.substr(start, newline - start);
    while (!line.empty() && line.back() == '\r') line.pop_back();
    const std::size_t carriage_return = line.rfind('\r');
    if (carriage_return != std::string::npos) line.erase(0, carriage_return + 1);
    if (!line.empty()) lines.push_back(std::move(line));
    start = newline + 1;
  }
  if (lines.size() > kTailLines) lines.erase(lines.begin(), lines.end() - kTailLines);
  return lines;
}

class Report {
public:
  explicit Report(const Conclusion& conclusion) : conclusion_(conclusion) {}

  std::vector<std::string> take() { return std::move(lines_); }

  void say(const std::string& text) { lines_.push_back("launch: " + text); }

  std::string who(const Ending& ending) const {
    if (conclusion_.through_mpirun) return "mpirun";
    return fmt::format("rank {} on {}", ending.rank,
                       conclusion_.hosts.at(static_cast<std::size_t>(ending.rank)));
  }

  std::string what_happened(const Ending& ending) const {
    const std::string after = " after " + duration_text(ending.after);
    const std::string detail = ending.detail.empty() ? "" : ": " + ending.detail;
    switch (ending.how) {
      case How::exited:
        return "exited with code " + std::to_string(ending.number) + shell_code(ending.number) + after;
      case How::signalled:
        return "was ended by " + signal_name(ending.number) + after + out_of_memory(ending.number);
      case How::lost:
        return "was lost" + after + detail;
      case How::stopped:
      case How::abandoned:
      case How::not_started:
        break;
    }
    return "ended";
  }

  void tail_of(const Ending& ending) {
    const std::vector<std::string> tail = tail_lines(ending.stderr_tail);
    if (tail.empty()) return;
    say(fmt::format("the last lines of {} on stderr:", who(ending)));
    for (const std::string& line : tail) lines_.push_back("  " + line);
  }

  void advice_for(const Ending& ending) {
    if (code_of(ending) == kNotFound) {
      say("code 127 is what a shell says when it does not find a program" + path_there(ending));
      say("name the program with its directory, or add --env PATH=…; a shell that is not a login shell lacks "
          "Homebrew's /opt/homebrew/bin on a Mac");
    } else if (code_of(ending) == kNotExecutable) {
      say("code 126 is what a shell says when it finds a program and cannot start it" + path_there(ending));
      say("see that the file is executable (chmod +x) and made for that machine, and that the interpreter in "
          "its first line is there; --python EXE names one");
    }
  }

  void others(const Ending* first) {
    std::vector<int> stopped, abandoned, not_started;
    for (const Ending& ending : conclusion_.endings) {
      if (&ending == first) continue;
      if (ending.how == How::stopped) stopped.push_back(ending.rank);
      if (ending.how == How::abandoned) abandoned.push_back(ending.rank);
      if (ending.how == How::not_started) not_started.push_back(ending.rank);
    }
    if (conclusion_.through_mpirun) return;
    other_failures(first);
    const std::string why = because(first);
    list(not_started, "not started", why);
    list(stopped, "stopped", why);
    list(abandoned, "told to stop and not seen to end, so look for it with ps", why);
  }

private:
  /// Ranks that failed in the same way, as survivors of a dead peer do, share a line.
  void other_failures(const Ending* first) {
    std::vector<std::pair<std::string, std::vector<const Ending*>>> kinds;  // in order of arrival
    for (const Ending& ending : conclusion_.endings) {
      if (&ending == first || !is_failure(ending)) continue;
      Ending timeless = ending;
      timeless.after = {};
      const std::string kind = what_happened(timeless);
      const auto same = [&](const auto& known) { return known.first == kind; };
      auto found = std::find_if(kinds.begin(), kinds.end(), same);
      if (found == kinds.end()) found = kinds.insert(found, {kind, {}});
      found->second.push_back(&ending);
    }
    for (const auto& [kind, endings] : kinds) {
      std::vector<int> ranks;
      for (const Ending* ending : endings) ranks.push_back(ending->rank);
      const std::string text = what_happened(*endings.front());
      say(ranks.size() == 1 ? who(*endings.front()) + " " + text
                            : ranks_text(ranks) + " " + text + ", the first of them");
    }
  }

  void list(const std::vector<int>& ranks, const std::string& what, const std::string& why) {
    if (ranks.empty()) return;
    say(fmt::format("{} {} {}{}", ranks_text(ranks), ranks.size() == 1 ? "was" : "were", what, why));
  }

  std::string because(const Ending* first) const {
    switch (conclusion_.stop) {
      case Stop::interrupted:
        return " because of the interrupt";
      case Stop::timed_out:
        return " because of the timeout";
      case Stop::failed:
        return " because of the error";
      case Stop::none:
      case Stop::first_failure:
        break;
    }
    return first == nullptr ? "" : fmt::format(" because of rank {}", first->rank);
  }

  // A shell that ran the program tells a signal this way.
  static std::string shell_code(int number) {
    if (number <= kSignalBase || signal_name(number - kSignalBase).rfind("SIG", 0) != 0) return "";
    return " (" + signal_name(number - kSignalBase) + ", as a shell says it)";
  }

  static std::string out_of_memory(int number) {
    return number == SIGKILL ? " (if nobody killed it, the machine was out of memory)" : "";
  }

  static std::string path_there(const Ending& ending) {
    return ending.path.empty() ? "" : "; the PATH that was searched: " + ending.path;
  }

  const Conclusion& conclusion_;
  std::vector<std::string> lines_;
};

std::string error_line(const Error& error) {
  return error.where.empty() ? error.what : error.where + ": " + error.what;
}

/// nullptr when no rank failed by itself.
const Ending* first_failure(const Conclusion& conclusion) {
  const auto found = std::find_if(conclusion.endings.begin(), conclusion.endings.end(), is_failure);
  return found == conclusion.endings.end() ? nullptr : &*found;
}

bool all_succeeded(const Conclusion& conclusion) {
  return std::all_of(conclusion.endings.begin(), conclusion.endings.end(),
                     [](const Ending& ending) { return ending.how == How::exited && ending.number == 0; });
}

Outcome stopped(const Conclusion& conclusion, int exit_code, const std::string& last_line) {
  Report report(conclusion);
  report.others(nullptr);
  report.say(last_line);
  return {exit_code, report.take()};
}

// A host that cannot be reached in time is unreachable; 124 is for --timeout alone.
int exit_code_of(const Error& error) {
  return error.code == ErrorCode::timed_out ? kExitUnreachable : exit_code_for(error.code);
}

}  // namespace

Outcome decide(const Conclusion& conclusion) {
  if (conclusion.stop == Stop::failed) {
    const Error error = conclusion.error.value_or(
        Error{ErrorCode::internal, "launch", "the job was stopped for a reason that is not known", ""});
    Report report(conclusion);
    report.others(nullptr);
    // The advice first: the last line is the one that names the cause.
    if (!error.hint.empty()) report.say(error.hint);
    report.say(error_line(error));
    return {exit_code_of(error), report.take()};
  }
  if (conclusion.stop == Stop::timed_out) {
    return stopped(conclusion, kExitTimeout,
                   "the job was stopped: it ran into --timeout, " + duration_text(conclusion.timeout));
  }
  if (all_succeeded(conclusion)) return {kExitOk, {}};
  if (conclusion.stop == Stop::interrupted) return stopped(conclusion, kExitInterrupted, "interrupted");
  const Ending* first = first_failure(conclusion);
  if (first == nullptr) {
    return stopped(conclusion, kExitInternal, "the job was stopped, and no rank had failed: a bug of launch");
  }
  Report report(conclusion);
  report.tail_of(*first);
  report.others(first);
  report.advice_for(*first);
  report.say(report.who(*first) + " " + report.what_happened(*first));
  return {code_of(*first), report.take()};
}

Outcome decide(const Error& error) {
  const Conclusion nothing_ran;
  Report report(nothing_ran);
  report.say(error_line(error));
  if (!error.hint.empty()) report.say(error.hint);
  return {exit_code_of(error), report.take()};
}

bool ended_by(remote::ExitStatus status, int signal_number) {
  return status == remote::ExitStatus{true, signal_number} ||
         status == remote::ExitStatus{false, kSignalBase + signal_number};
}

std::string signal_name(int number) {
  static constexpr std::array<std::pair<int, const char*>, 18> kNames{{{SIGHUP, "SIGHUP"},
                                                                       {SIGINT, "SIGINT"},
                                                                       {SIGQUIT, "SIGQUIT"},
                                                                       {SIGILL, "SIGILL"},
                                                                       {SIGTRAP, "SIGTRAP"},
                                                                       {SIGABRT, "SIGABRT"},
                                                                       {SIGBUS, "SIGBUS"},
                                                                       {SIGFPE, "SIGFPE"},
                                                                       {SIGKILL, "SIGKILL"},
                                                                       {SIGUSR1, "SIGUSR1"},
                                                                       {SIGSEGV, "SIGSEGV"},
                                                                       {SIGUSR2, "SIGUSR2"},
                                                                       {SIGPIPE, "SIGPIPE"},
                                                                       {SIGALRM, "SIGALRM"},
                                                                       {SIGTERM, "SIGTERM"},
                                                                       {SIGXCPU, "SIGXCPU"},
                                                                       {SIGXFSZ, "SIGXFSZ"},
                                                                       {SIGSYS, "SIGSYS"}}};
  for (const auto& [known, name] : kNames) {
    if (known == number) return name;
  }
  return "signal " + std::to_string(number);
}

std::string duration_text(std::chrono::milliseconds time) {
  const auto count = time.count();
  if (count < 1000) return fmt::format("{} ms", count);
  if (count < 60'000) return fmt::format("{}.{} s", count / 1000, count % 1000 / 100);
  const auto seconds = count / 1000;
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
}

}  // namespace jackal::launch
