#include "distributed-config/undo.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output.hpp"
#include "distributed-config/run.hpp"
#include "distributed-config/set_up.hpp"
#include "jackal/base/exit_code.hpp"
#include "jackal/tbdiscovery/problems.hpp"

namespace jackal::distributed_config {
namespace {

using namespace tbdiscovery;

Result<std::map<std::string, SetupJob>> undo_jobs(Nodes& nodes, const ClusterMap& map) {
  std::vector<const Node*> asked;
  for (const auto& node : map.nodes) {
    if (node.report.failure) return fail(*node.report.failure);
    asked.push_back(&node);
  }
  const auto kept = ask_kept(nodes, asked);
  if (!kept) return fail(kept.error());
  std::map<std::string, SetupJob> jobs;
  for (const auto* node : asked) {
    const auto& text = kept->at(node->name()).record;
    const auto record = read_record(text, node->name() + ": ~/.local/state/jackal/links.json");
    if (!record) return fail(record.error());
    if (record->changes.empty()) continue;
    if (node->report.sudo == false) {
      return fail({ErrorCode::bad_input, node->name(), "sudo asks for a password, so nothing can be undone",
                   fmt::format("Run \"sudo visudo -f /etc/sudoers.d/jackal\" there and add:\n{}",
                               sudoers_lines(node->report))});
    }
    SetupJob job;
    job.steps = undo_steps(*record, node->report);
    job.record_before = text;
    job.undoes = true;
    jobs.emplace(node->name(), std::move(job));
  }
  return jobs;
}

}  // namespace

int undo(Nodes& nodes, const ClusterMap& map) {
  const auto jobs = undo_jobs(nodes, map);
  if (nodes.interrupted()) return kExitInterrupted;
  if (!jobs) {
    end_with(jobs.error());
    const int code = exit_code_for(jobs.error().code);
    return code == kExitBadInput ? kExitFailed : code;
  }
  std::string text;
  for (const auto& node : map.nodes) {
    const auto job = jobs->find(node.name());
    if (job == jobs->end()) {
      text += fmt::format("# on {}: nothing was set up\n", node.name());
    } else if (job->second.steps.empty()) {
      text += fmt::format("# on {}: all of it is gone already\n", node.name());
    } else {
      text += fmt::format("# on {}\n{}", node.name(), shell_text(job->second.steps));
    }
  }
  if (const auto printed = cli::print(text); !printed) return end_with(printed.error());
  const auto errors = carry_out(nodes, *jobs);
  for (const auto& error : errors) end_with(error);
  if (nodes.interrupted()) {
    fmt::print(stderr, "distributed-config: interrupted\n");
    return kExitInterrupted;
  }
  const bool lost = std::any_of(errors.begin(), errors.end(), [](const Error& error) {
    return exit_code_for(error.code) == kExitUnreachable;
  });
  return lost ? kExitUnreachable : errors.empty() ? kExitOk : kExitFailed;
}

}  // namespace jackal::distributed_config
