#include "distributed-config/run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output.hpp"
#include "distributed-config/output.hpp"
#include "distributed-config/probes.hpp"
#include "jackal/base/exit_code.hpp"
#include "jackal/base/file.hpp"
#include "jackal/hostfile/reader.hpp"
#include "jackal/hostfile/writer.hpp"
#include "jackal/tbdiscovery/drawing.hpp"
#include "jackal/tbdiscovery/json.hpp"

namespace jackal::distributed_config {
namespace {

using namespace tbdiscovery;

void say(const std::string& text) { fmt::print(stderr, "distributed-config: {}\n", text); }

/// Those that answered, where --ignore-unreachable asks for it.
Result<RawProbes> without_unreachable(RawProbes probes) {
  RawProbes answered;
  std::optional<Error> first;
  for (auto& node : probes) {
    if (!node.failure) {
      answered.push_back(std::move(node));
      continue;
    }
    say("left out: " + node.failure->text());
    if (!first) first = node.failure;
  }
  if (answered.empty() && first) return fail(*first);
  return answered;
}

Result<void> save(const std::string& directory, const RawProbes& probes) {
  RawProbes answered;
  std::copy_if(probes.begin(), probes.end(), std::back_inserter(answered),
               [](const NodeProbes& node) { return !node.failure; });
  return write_probes(directory, answered);
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

std::string text_for(const Options& options, const Findings& findings) {
  if (options.json) return to_json(findings.map, findings.problems, findings.plan, findings.setup);
  if (options.dot) return draw_dot(findings.map);
  std::string text = findings_text(findings);
  if (!options.output_hostfile && exit_code(findings) == kExitOk) {
    text += "\nHost file\n" + hostfile::to_json(findings.plan->hostfile);
  }
  return text;
}

int plan(const Options& options, const ClusterMap& map) {
  const Findings findings = find(map, options.request);
  if (const auto printed = cli::print(text_for(options, findings)); !printed)
    return end_with(printed.error());
  const int code = exit_code(findings);
  if (code != kExitOk) {
    const bool failed = !findings.plan && (options.json || options.dot);
    say(failed ? findings.plan.error().text() : "no host file: see the problems");
    return code;
  }
  if (!options.output_hostfile) return code;
  const auto written = hostfile::write(*options.output_hostfile, findings.plan->hostfile);
  if (!written) return end_unwritten(written.error());
  say("wrote " + *options.output_hostfile);
  return code;
}

int check(const Options& options, const ClusterMap& map) {
  const auto read = hostfile::read(*options.check);
  if (!read) return end_with(read.error());
  const auto differences = compare(read->hostfile, map);
  const auto printed =
      cli::print(options.json ? differences_json(differences) : differences_text(differences));
  if (!printed) return end_with(printed.error());
  if (has_unreachable(map)) {
    for (const auto& node : map.nodes) {
      if (node.report.failure) say(node.report.failure->text());
    }
    return kExitUnreachable;
  }
  return differences.empty() ? kExitOk : kExitDiffers;
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
  if (options.save_probes) {
    if (const auto saved = save(*options.save_probes, probes); !saved) return end_unwritten(saved.error());
    say("wrote " + *options.save_probes);
  }
  if (options.ignore_unreachable) {
    auto answered = without_unreachable(std::move(probes));
    if (!answered) return end_with(answered.error());
    probes = std::move(*answered);
  }
  const ClusterMap map = build_map(parse(probes));
  if (options.svg) {
    if (const auto written = write_file(*options.svg, draw_svg(map)); !written)
      return end_unwritten(written.error());
    say("wrote " + *options.svg);
  }
  return options.action == Action::check ? check(options, map) : plan(options, map);
}

}  // namespace jackal::distributed_config
