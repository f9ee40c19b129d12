#include "distributed-config/output.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "jackal/tbdiscovery/drawing.hpp"

namespace jackal::distributed_config {
namespace {

using namespace tbdiscovery;

constexpr int kCheckJsonVersion = 1;

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

}  // namespace

std::string findings_text(const Findings& findings) {
  std::string text;
  add_section(text, "Ports", draw_table(findings.map));
  if (!findings.map.cables.empty()) add_section(text, "Cables", draw_picture(findings.map));
  add_section(text, "Problems", findings.problems.empty() ? "none\n" : draw_problems(findings.problems));
  add_section(text, "Plan",
              findings.plan ? draw_plan(findings.map, *findings.plan)
                            : "none: " + findings.plan.error().text() + "\n");
  add_section(text, "Commands that set the links up, to be pasted on each machine",
              commands_text(findings.setup));
  return text;
}

std::string differences_text(const std::vector<Difference>& differences) {
  if (differences.empty()) return "The host file describes this cabling.\n";
  std::string text;
  for (const auto& difference : differences) text += difference.text + "\n";
  return text;
}

std::string differences_json(const std::vector<Difference>& differences) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& difference : differences) {
    list.push_back({{"kind", to_string(difference.kind)},
                    {"rank", difference.rank},
                    {"peer", difference.peer},
                    {"text", difference.text}});
  }
  const nlohmann::ordered_json document = {{"version", kCheckJsonVersion}, {"differences", list}};
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace jackal::distributed_config
