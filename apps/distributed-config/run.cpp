#include "distributed-config/run.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "cli/output.hpp"
#include "distributed-config/chosen_nodes.hpp"
#include "distributed-config/nodes.hpp"
#include "distributed-config/output.hpp"
#include "distributed-config/set_up.hpp"
#include "distributed-config/undo.hpp"
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

/// Redacted probes are for others, who must not find unredacted ones beside them.
Result<void> save(const Options& options, const RawProbes& probes) {
  std::error_code missing;
  if (options.redact && !std::filesystem::is_empty(*options.save_probes, missing) && !missing) {
    return fail({ErrorCode::io, *options.save_probes, "holds something already, which would not be redacted",
                 "Name a directory that is empty or not there yet."});
  }
  RawProbes answered;
  std::copy_if(probes.begin(), probes.end(), std::back_inserter(answered),
               [](const NodeProbes& node) { return !node.failure; });
  return write_probes(*options.save_probes, options.redact ? redact(answered) : answered);
}

Findings find(const ClusterMap& map, const Options& options) {
  Findings findings{map, {}, make_plan(map, options.request), {}};
  findings.problems = find_problems(map, options.request, findings.plan.has_value());
  if (!findings.plan) return findings;
  auto setup = make_setup(map, *findings.plan, {options.persist, {}});
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

int exit_code(const Findings& findings, const Outcome& outcome) {
  if (has_unreachable(findings.map)) return kExitUnreachable;
  const bool blocked = std::any_of(findings.problems.begin(), findings.problems.end(),
                                   [](const Problem& problem) { return problem.blocks; });
  if (!findings.plan || blocked) return kExitFailed;
  for (const auto& error : outcome.setup_errors) {
    if (exit_code_for(error.code) == kExitUnreachable) return kExitUnreachable;
  }
  const bool proved = !outcome.verification || outcome.verification->failures.empty();
  return outcome.setup_errors.empty() && proved ? kExitOk : kExitFailed;
}

/// Of the terminal that standard output is; 0: it is none.
std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/// What is still to be said: all of it, unless a set-up has shown what it was about to do.
std::string text_for(const Options& options, const Findings& findings, const Outcome& outcome, bool shown) {
  if (options.json) return to_json(findings.map, findings.problems, findings.plan, findings.setup, outcome);
  if (options.dot) return draw_dot(findings.map);
  return (shown ? "" : findings_text(findings, false, terminal_width())) + outcome_text(findings, outcome);
}

/// The host file last: it is there only when everything else is.
Result<void> write_files(const Options& options, const Findings& findings, Outcome& outcome) {
  if (options.report) {
    const auto page = to_html(
        {findings.map, findings.problems, findings.plan, findings.setup, measurements(outcome.verification)});
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

/// The jobs of all nodes that have something to do, and in `findings` their commands as they are now.
Result<std::map<std::string, SetupJob>> set_up_jobs(const Options& options, Findings& findings,
                                                    Nodes& nodes) {
  std::vector<const Node*> asked;
  for (const auto& setup : findings.setup) asked.push_back(&findings.map.nodes[setup.node]);
  const auto kept = ask_kept(nodes, asked);
  if (!kept) return fail(kept.error());
  SetupOptions setup_options{options.persist, {}};
  for (const auto& [name, of_node] : *kept) setup_options.lasting[name] = of_node.lasting;
  auto setups = make_setup(findings.map, *findings.plan, setup_options);
  if (!setups) return fail(setups.error());
  findings.setup = std::move(*setups);
  std::map<std::string, SetupJob> jobs;
  for (const auto& setup : findings.setup) {
    if (setup.steps.empty()) continue;
    const auto& record = kept->at(setup.name).record;
    const auto old = read_record(record, setup.name + ": ~/.local/state/jackal/links.json");
    if (!old) return fail(old.error());
    std::vector<Change> changes;
    for (const auto& step : setup.steps) changes.push_back(*step.change);
    const auto after = extended(*old, changes, findings.map.nodes[setup.node].report);
    jobs.emplace(setup.name, SetupJob{setup.steps, setup.checks, record, to_text(after), false});
  }
  return jobs;
}

/// A node that is lost meanwhile proves nothing.
void verify_into(Outcome& outcome, Findings& findings, Nodes& nodes, const Proofs& proofs) {
  LostNodes lost;
  outcome.verification = verify(nodes, findings.map, *findings.plan, proofs, lost);
  if (nodes.interrupted()) return;
  for (const auto& [node, error] : lost) outcome.setup_errors.push_back(error);
}

/// Asks, shows, does and proves.
Result<void> set_up(const Options& options, Findings& findings, Outcome& outcome, Nodes& nodes) {
  const auto jobs = set_up_jobs(options, findings, nodes);
  if (!options.json && !options.dot) {
    if (auto printed = cli::print(findings_text(findings, true, terminal_width())); !printed) return printed;
  }
  if (!jobs) outcome.setup_errors.push_back(jobs.error());
  if (!jobs || nodes.interrupted()) return {};
  outcome.setup_errors = carry_out(nodes, *jobs);
  outcome.setup_ran = true;
  if (nodes.interrupted() || !outcome.setup_errors.empty()) return {};
  verify_into(outcome, findings, nodes, {true, true, true});
  return {};
}

/// Without a set-up, what costs little is proved: addresses, and links that are there already.
void prove(Findings& findings, Outcome& outcome, Nodes& nodes) {
  if (findings.plan->ranks.size() < 2) return;
  const bool links = !findings.plan->cables.empty() &&
                     std::all_of(findings.setup.begin(), findings.setup.end(),
                                 [](const NodeSetup& setup) { return setup.steps.empty(); });
  verify_into(outcome, findings, nodes, {links, false, false});
}

void say_why_not(const Options& options, const Findings& findings, const Outcome& outcome) {
  for (const auto& error : outcome.setup_errors) say(error.text());
  if (!outcome.setup_errors.empty()) return;
  const bool failed = !findings.plan && (options.json || options.dot);
  if (failed)
    say(findings.plan.error().text());
  else
    say(outcome.verification ? "no host file: the verification failed" : "no host file: see the problems");
}

int plan(const Options& options, const ClusterMap& map, Outcome outcome, Nodes* nodes) {
  Findings findings = find(map, options);
  const bool acts = nodes != nullptr && exit_code(findings, outcome) == kExitOk;
  const bool sets_up = acts && options.request.auto_setup;
  if (sets_up) {
    if (const auto done = set_up(options, findings, outcome, *nodes); !done) return end_with(done.error());
  } else if (acts) {
    prove(findings, outcome, *nodes);
  }
  if (nodes != nullptr && nodes->interrupted()) {
    for (const auto& error : outcome.setup_errors) say(error.text());
    say("interrupted");
    return kExitInterrupted;
  }
  if (nodes != nullptr) nodes->finish();
  outcome.exit = exit_code(findings, outcome);
  if (const auto written = write_files(options, findings, outcome); !written)
    return end_unwritten(written.error());
  if (const auto printed = cli::print(text_for(options, findings, outcome, sets_up)); !printed)
    return end_with(printed.error());
  if (options.dot) tell_files(outcome);
  if (outcome.exit != kExitOk) say_why_not(options, findings, outcome);
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
  const auto names = chosen_nodes(options);
  if (!names) return end_with(names.error());
  std::optional<Nodes> nodes;
  RawProbes probes;
  if (options.from_probes) {
    auto read = read_probes(*options.from_probes, *names);
    if (!read) return end_with(read.error());
    probes = std::move(*read);
  } else {
    nodes.emplace(options, *names);
    probes = nodes->probe();
    if (nodes->interrupted()) {
      say("interrupted");
      return kExitInterrupted;
    }
  }
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
  if (options.action == Action::undo) return undo(*nodes, map);
  if (options.action == Action::plan)
    return plan(options, map, std::move(outcome), nodes ? &*nodes : nullptr);
  if (nodes) nodes->finish();
  return check(options, map, std::move(outcome));
}

}  // namespace jackal::distributed_config
