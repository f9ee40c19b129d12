#include "jackal/tbdiscovery/html.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "drawing_text.hpp"
#include "html_style.hpp"
#include "jackal/hostfile/writer.hpp"
#include "jackal/tbdiscovery/drawing.hpp"

namespace jackal::tbdiscovery {
namespace {

struct Column {
  const char* title;
  std::string cell;
};
using Row = std::vector<Column>;

std::string escaped_lines(const std::string& text) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t end = 0; end != std::string::npos; at = end + 1) {
    end = text.find('\n', at);
    out += (at == 0 ? "" : "\n") + xml_text(text.substr(at, end == std::string::npos ? end : end - at));
  }
  return out;
}

std::string paragraph(const std::string& text, const char* kind = nullptr) {
  return fmt::format("<p{}>{}</p>\n", kind ? fmt::format(" class=\"{}\"", kind) : "", escaped_lines(text));
}

std::string preformatted(const std::string& text) { return "<pre>" + escaped_lines(text) + "</pre>\n"; }

std::string section(const char* name, const char* title, const std::string& body) {
  if (body.empty()) return {};
  return fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", name, title, body);
}

/// Every row has the columns of the first; a column without any value is left out.
std::string table(const std::vector<Row>& rows) {
  if (rows.empty()) return {};
  std::vector<bool> used(rows.front().size(), false);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) used[i] = used[i] || !row[i].cell.empty();
  }
  std::string out = "<table>\n<thead><tr>";
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) out += fmt::format("<th>{}</th>", rows.front()[i].title);
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (used[i]) out += fmt::format("<td data-label=\"{}\">{}</td>", row[i].title, xml_text(row[i].cell));
    }
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table>\n";
}

std::string counted(std::size_t count, const char* noun) {
  return fmt::format("<li><b>{}</b><span>{}{}</span></li>\n", count, noun, count == 1 ? "" : "s");
}

std::string heading(const Page& page) {
  std::string names;
  for (const auto& node : page.map.nodes) names += (names.empty() ? "" : ", ") + node.name();
  const auto blocking =
      std::count_if(page.problems.begin(), page.problems.end(), [](const Problem& p) { return p.blocks; });
  auto out =
      fmt::format("<header>\n<p class=\"kicker\">Thunderbolt cabling</p>\n<h1>{}</h1>\n", xml_text(names));
  const auto plan = page.plan
                        ? fmt::format("Planned: backend {}, topology {}.",
                                      hostfile::to_string(page.plan->backend), to_string(page.plan->topology))
                        : std::string("No plan is possible yet.");
  out += paragraph(plan, "quiet");
  out += "<ul class=\"facts\">\n" + counted(page.map.nodes.size(), "machine") +
         counted(page.map.cables.size(), "cable") + counted(page.problems.size(), "problem");
  if (blocking > 0) out += fmt::format("<li><b>{}</b><span>in the way</span></li>\n", blocking);
  return out + "</ul>\n</header>\n";
}

std::string drawing(const ClusterMap& map) {
  const auto usable = std::count_if(map.cables.begin(), map.cables.end(),
                                    [&](const Cable& cable) { return rdma_obstacle(map, cable).empty(); });
  auto out = "<figure>\n" + draw_svg(map);
  if (!map.cables.empty()) {
    out += "<figcaption>";
    if (usable > 0) out += "<i></i>RDMA and TCP";
    if (static_cast<std::size_t>(usable) < map.cables.size()) out += "<i class=\"other\"></i>TCP only";
    out += "</figcaption>\n";
  }
  return out + "</figure>\n";
}

std::string end_text(const ClusterMap& map, const End& end) {
  const auto& interface = map.port(end).interface;
  return describe(map, end) + (interface.empty() ? "" : fmt::format(" ({})", interface));
}

std::string cable_table(const Page& page) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < page.map.cables.size(); ++i) {
    const Cable& cable = page.map.cables[i];
    std::string addresses;
    for (std::size_t k = 0; page.plan && k < page.plan->cables.size(); ++k) {
      const auto& planned = page.plan->cables[k];
      if (planned.cable == i)
        addresses = fmt::format("{} and {}", to_string(planned.ip_a), to_string(planned.ip_b));
    }
    rows.push_back({{"Cable", std::to_string(i + 1)},
                    {"From", end_text(page.map, cable.a)},
                    {"To", end_text(page.map, cable.b)},
                    {"Through", fmt::format("{}", fmt::join(cable.through, ", "))},
                    {"Carries", cable_text(page.map, cable)},
                    {"Addresses", addresses}});
  }
  return table(rows);
}

std::string port_table(const ClusterMap& map) {
  std::vector<Row> rows;
  for (std::size_t node = 0; node < map.nodes.size(); ++node) {
    for (std::size_t i = 0; i < map.nodes[node].ports.size(); ++i) {
      const End end{node, i};
      const Port& port = map.port(end);
      std::string network = port.bridge.empty() ? "" : "in " + port.bridge;
      for (const auto& own : port.addresses)
        network += fmt::format("{}{}/{}", network.empty() ? "" : ", ", to_string(own.address), own.prefix);
      rows.push_back({{"Port", describe(map, end)},
                      {"Kind", std::string(to_string(port.generation))},
                      {"Speed", speed_text(port)},
                      {"Interface", port.interface},
                      {"RDMA", rdma_text(port)},
                      {"Network", network},
                      {"On it", occupant(map, end)}});
    }
  }
  return table(rows);
}

/// As in the terminal, those that call for the same step are told once.
std::string problem_list(const std::vector<Problem>& problems) {
  if (problems.empty()) return "<p class=\"good\">None found.</p>\n";
  std::string out;
  std::vector<bool> told(problems.size(), false);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    if (told[i]) continue;
    const Problem& problem = problems[i];
    out += fmt::format(
        "<article class=\"problem {0}\">\n<p class=\"label\"><span class=\"severity\">{0}</span> · "
        "{1}{2}</p>\n",
        to_string(problem.severity), to_string(problem.code), problem.blocks ? " · in the way" : "");
    for (std::size_t j = i; j < problems.size(); ++j) {
      if (!same_advice(problem, problems[j])) continue;
      told[j] = true;
      out += paragraph(problems[j].what, "what");
    }
    out += paragraph(problem.why) + paragraph("Next: " + problem.next, "next") + "</article>\n";
  }
  return out;
}

std::string plan_text(const Page& page) {
  if (!page.plan) {
    const Error& error = page.plan.error();
    return paragraph("None: " + error.what + ".") + (error.hint.empty() ? "" : paragraph(error.hint));
  }
  const Plan& plan = *page.plan;
  auto out = paragraph(fmt::format("Backend {}, {}: {}.", hostfile::to_string(plan.backend),
                                   to_string(plan.topology), plan.reason));
  if (plan.search) out += paragraph(fmt::format("The ring is {}.", describe(*plan.search)));
  out += "<ol class=\"ranks\">\n";
  for (std::size_t rank = 0; rank < plan.ranks.size(); ++rank) {
    out += fmt::format("<li><small>{}</small>{}</li>\n", rank,
                       xml_text(page.map.nodes[plan.ranks[rank]].name()));
  }
  out += "</ol>\n";
  for (const auto& note : plan.notes) out += paragraph("Note: " + note + ".");
  return out;
}

std::string figure_text(const std::optional<Figure>& figure, const char* unit) {
  return figure ? fmt::format("{:.3g} {} ({})", figure->value, unit, figure->how) : "not measured";
}

std::string measurement_table(const Page& page) {
  std::vector<Row> rows;
  for (const auto& measured : page.measurements) {
    rows.push_back({{"Cable", std::to_string(measured.cable + 1)},
                    {"Between", describe(page.map, page.map.cables[measured.cable])},
                    {"Round trip", figure_text(measured.round_trip_ms, "ms")},
                    {"TCP", figure_text(measured.tcp_gbps, "Gbit/s")}});
  }
  return table(rows);
}

std::string commands(const std::vector<NodeSetup>& setup) {
  std::string out;
  for (const auto& node : setup) {
    const auto text = shell_text(node);
    if (!text.empty()) out += fmt::format("<h3>On {}</h3>\n", xml_text(node.name)) + preformatted(text);
  }
  return out;
}

}  // namespace

std::string to_html(const Page& page) {
  std::string title;
  for (const auto& node : page.map.nodes) title += (title.empty() ? "" : ", ") + node.name();
  auto out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<title>Cabling of {}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
      xml_text(title), html_style());
  out += heading(page);
  out += section("map", "Machines and cables", drawing(page.map) + cable_table(page));
  out += section("problems", "Problems", problem_list(page.problems));
  out += section("plan", "Plan", plan_text(page));
  out += section("measured", "Measured links", measurement_table(page));
  out += section("commands", "Commands that set the links up", commands(page.setup));
  if (page.plan)
    out += section("hostfile", "Host file", preformatted(hostfile::to_json(page.plan->hostfile)));
  out += section("ports", "Ports", port_table(page.map));
  return out + "<footer>Made by distributed-config.</footer>\n</main>\n</body>\n</html>\n";
}

}  // namespace jackal::tbdiscovery
