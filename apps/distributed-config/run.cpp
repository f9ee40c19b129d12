#include "distributed-config/run.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "cli/output.hpp"
#include "distributed-config/output.hpp"
#include "distributed-config/probes.hpp"
#include "jackal/base/exit_code.hpp"
#include "jackal/base/file.hpp"
#include "jackal/hostfile/reader.hpp"
#include "jackal/hostfile/writer.hpp"
#include "jackal/tbdiscovery/drawing.hpp"
#include "jackal/tbdiscovery/html.hpp"
#include "jackal/tbdiscovery/json.hpp"
#include "jackal/tbdiscovery/redact.hpp"

namespace jackal::distributed_config {
namespace {

using namespace tbdiscovery;

void say(const std::string& text) { fmt::print(stderr, "distributed-config: {}\n", text); }

/// Those that answered, where --ignore-unreachable asks for it.
Result<RawProbes> without_unreachable(RawProbes probes, Outcome& outcome) {
  RawProbes answered;
  std::optional<Error> first;
  for (auto& node : probes) {
    if (!node.failure) {
      answered.push_back(std::move(node));
      continue;
    }
    say("left out: " + node.failure->text());
    outcome.ignored.push_back({node.node, node.failure->text()});
    if (!first) first = node.failure;
  }
  if (answered.empty() && first) return fail(*first);
  return answered;
}

Result<void> save(const Options& options, const RawProbes& probes) {
  RawProbes answered;
  std::copy_if(probes.begin(), probes.end(), std::back_inserter(answered),
               [](const NodeProbes& node) { return !node.failure; });
  return write_probes(*options.save_probes, options.redact ? redact(answered) : answered);
}

Findings find(const ClusterMap& map, const Request& request) {
  Findings findings{map, {}, make_plan(map, request), {}};
  findings.problems = find_problems(map, request, findings.plan.has_value());
  if (!findings.plan) return findings;
  auto setup = make_setup(map, *findings.plan);
  if (setup) {
    findings.setup = std::move(*setup);
  } else {
    findings.plan = fail(setup.error());
  }
  return findings;
}

/// A directory that is missing where we write is no bad input.
int end_unwritten(Error error) {
  if (error.code == ErrorCode::not_found) error.code = ErrorCode::io;
  return end_with(error);
}

bool has_unreachable(const ClusterMap& map) {
  return std::any_of(map.nodes.begin(), map.nodes.end(),
                     [](const Node& node) { return node.report.failure.has_value(); });
}

int exit_code(const Findings& findings) {
  if (has_unreachable(findings.map)) return kExitUnreachable;
  const bool blocked = std::any_of(findings.problems.begin(), findings.problems.end(),
                                   [](const Problem& problem) { return problem.blocks; });
  return findings.plan && !blocked ? kExitOk : kExitFailed;
}

/// Of the terminal that standard output is; 0: it is none.
std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::string text_for(const Options& options, const Findings& findings, const Outcome& outcome) {
  if (options.json) return to_json(findings.map, findings.problems, findings.plan, findings.setup, outcome);
  return options.dot ? draw_dot(findings.map) : findings_text(findings, outcome, terminal_width());
}

/// The host file last: it is there only when everything else is.
Result<void> write_files(const Options& options, const Findings& findings, Outcome& outcome) {
  if (options.report) {
    const auto page =
        to_html({findings.map, findings.problems, findings.plan, findings.setup, outcome.measurements});
    if (auto written = write_file(*options.report, page); !written) return written;
    outcome.files.push_back({"report", *options.report});
  }
  if (outcome.exit != kExitOk || !options.output_hostfile) return {};
  if (auto written = hostfile::write(*options.output_hostfile, findings.plan->hostfile); !written)
    return written;
  outcome.files.push_back({"hostfile", *options.output_hostfile});
  return {};
}

void tell_files(const Outcome& outcome) {
  for (const auto& file : outcome.files) say("wrote " + file.path);
}

int plan(const Options& options, const ClusterMap& map, Outcome outcome) {
  const Findings findings = find(map, options.request);
  outcome.exit = exit_code(findings);
  if (const auto written = write_files(options, findings, outcome); !written)
    return end_unwritten(written.error());
  if (const auto printed = cli::print(text_for(options, findings, outcome)); !printed)
    return end_with(printed.error());
  if (options.dot) tell_files(outcome);
  if (outcome.exit != kExitOk) {
    const bool failed = !findings.plan && (options.json || options.dot);
    say(failed ? findings.plan.error().text() : "no host file: see the problems");
  }
  return outcome.exit;
}

int check(const Options& options, const ClusterMap& map, Outcome outcome) {
  const auto read = hostfile::read(*options.check);
  if (!read) return end_with(read.error());
  const auto differences = compare(read->hostfile, map);
  outcome.exit = has_unreachable(map) ? kExitUnreachable : differences.empty() ? kExitOk : kExitDiffers;
  const auto printed = cli::print(options.json ? to_json(*options.check, map, differences, outcome)
                                               : differences_text(differences));
  if (!printed) return end_with(printed.error());
  if (!options.json) tell_files(outcome);
  for (const auto& node : map.nodes) {
    if (node.report.failure) say(node.report.failure->text());
  }
  return outcome.exit;
}

}  // namespace

int end_with(const Error& error) {
  say(error.text());
  return exit_code_for(error.code);
}

int run(const Options& options) {
  const auto nodes = chosen_nodes(options);
  if (!nodes) return end_with(nodes.error());
  auto gathered = gather_probes(options, *nodes);
  if (!gathered) return end_with(gathered.error());
  if (!*gathered) {
    say("interrupted");
    return kExitInterrupted;
  }
  RawProbes probes = std::move(**gathered);
  Outcome outcome;
  if (options.save_probes) {
    if (const auto saved = save(options, probes); !saved) return end_unwritten(saved.error());
    outcome.files.push_back({"probes", *options.save_probes});
  }
  if (options.ignore_unreachable) {
    auto answered = without_unreachable(std::move(probes), outcome);
    if (!answered) return end_with(answered.error());
    probes = std::move(*answered);
  }
  const ClusterMap map = build_map(parse(probes));
  if (options.svg) {
    if (const auto written = write_file(*options.svg, draw_svg(map)); !written)
      return end_unwritten(written.error());
    outcome.files.push_back({"svg", *options.svg});
  }
  return options.action == Action::check ? check(options, map, std::move(outcome))
                                         : plan(options, map, std::move(outcome));
}

}  // namespace jackal::distributed_config
