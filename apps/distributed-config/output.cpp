#include "distributed-config/output.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "jackal/base/exit_code.hpp"
#include "jackal/hostfile/writer.hpp"
#include "jackal/tbdiscovery/drawing.hpp"

namespace jackal::distributed_config {
namespace {

using namespace tbdiscovery;

void add_section(std::string& text, const std::string& title, const std::string& body) {
  if (body.empty()) return;
  text += (text.empty() ? "" : "\n") + title + "\n" + body;
  if (text.back() != '\n') text += '\n';
}

std::string commands_text(const std::vector<NodeSetup>& setup) {
  std::string text;
  for (const auto& node : setup) text += shell_text(node);
  return text;
}

bool wrote_hostfile(const Outcome& outcome) {
  return std::any_of(outcome.files.begin(), outcome.files.end(),
                     [](const WrittenFile& file) { return file.kind == "hostfile"; });
}

std::string files_text(const Outcome& outcome) {
  std::string text;
  for (const auto& file : outcome.files) text += fmt::format("{:<9} {}\n", file.kind, file.path);
  return text;
}

}  // namespace

std::string findings_text(const Findings& findings, bool run_now, std::size_t width) {
  std::string text;
  add_section(text, "Ports", draw_table(findings.map, width));
  if (!findings.map.cables.empty()) add_section(text, "Cables", draw_picture(findings.map, width));
  add_section(text, "Problems",
              findings.problems.empty() ? "none\n" : draw_problems(findings.problems, width));
  add_section(text, "Plan",
              findings.plan ? draw_plan(findings.map, *findings.plan, width)
                            : draw_no_plan(findings.plan.error(), width));
  const auto commands = commands_text(findings.setup);
  const bool nothing = findings.plan && !findings.plan->cables.empty() && commands.empty();
  add_section(text,
              run_now ? "Commands that set the links up, run now"
                      : "Commands that set the links up, to be pasted on each machine",
              nothing ? "none: the links are set up already\n" : commands);
  return text;
}

std::string outcome_text(const Findings& findings, const Outcome& outcome) {
  std::string text;
  if (findings.plan && outcome.verification)
    add_section(text, "Verification", draw_verification(findings.map, *findings.plan, *outcome.verification));
  if (findings.plan && outcome.exit == kExitOk && !wrote_hostfile(outcome))
    add_section(text, "Host file", hostfile::to_json(findings.plan->hostfile));
  add_section(text, "Files written", files_text(outcome));
  return text.empty() ? text : "\n" + text;
}

std::string differences_text(const std::vector<Difference>& differences) {
  if (differences.empty()) return "The host file describes this cabling.\n";
  std::string text;
  for (const auto& difference : differences) text += difference.text + "\n";
  return text;
}

}  // namespace jackal::distributed_config
