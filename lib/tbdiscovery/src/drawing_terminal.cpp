// The drawings for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "drawing_text.hpp"
#include "jackal/tbdiscovery/drawing.hpp"

namespace jackal::tbdiscovery {
namespace {

using Row = std::array<std::string, 8>;

constexpr std::size_t kMostColumns = 40;  // of the picture; beyond that only the list is readable

Row row_of(const ClusterMap& map, const End& end) {
  const Port& port = map.port(end);
  std::string network = port.bridge.empty() ? "" : "in " + port.bridge;
  for (const auto& own : port.addresses) {
    network += (network.empty() ? "" : ", ") + fmt::format("{}/{}", to_string(own.address), own.prefix);
  }
  return {end.port == 0 ? map.node(end).name() : "",
          port.receptacle.empty() ? "?" : port.receptacle,
          std::string(to_string(port.generation)),
          speed_text(port),
          port.interface.empty() ? "?" : port.interface,
          rdma_text(port),
          network,
          occupant(map, end)};
}

std::string aligned(const std::vector<Row>& rows) {
  std::array<std::size_t, 8> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths[i] > 0) line += padded(row[i], widths[i]) + "  ";
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

/// A pair of machines with at least one cable: one column of the picture.
struct Column {
  std::size_t top = 0;
  std::size_t bottom = 0;
  std::vector<std::size_t> cables;
};

std::vector<Column> columns_of(const ClusterMap& map) {
  std::map<std::pair<std::size_t, std::size_t>, Column> pairs;
  for (std::size_t i = 0; i < map.cables.size(); ++i) {
    const auto [top, bottom] = std::minmax(map.cables[i].a.node, map.cables[i].b.node);
    if (top == bottom) continue;
    Column& column = pairs[{top, bottom}];
    column.top = top;
    column.bottom = bottom;
    column.cables.push_back(i);
  }
  std::vector<Column> columns;
  for (auto& entry : pairs) columns.push_back(std::move(entry.second));
  return columns;
}

std::string picture_line(const std::vector<Column>& columns, std::size_t node) {
  std::size_t last = 0;  // one beyond the last column that this machine takes part in
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].top == node || columns[i].bottom == node) last = i + 1;
  }
  std::string line = last > 0 ? " ─" : "";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column& column = columns[i];
    const bool inside = i < last;
    const bool right = i + 1 < last;
    if (line.empty()) line = "  ";
    if (column.top == node)
      line += right ? "┬" : "┐";
    else if (column.bottom == node)
      line += right ? "┴" : "┘";
    else if (column.top < node && node < column.bottom)
      line += inside ? "┼" : "│";
    else
      line += inside ? "─" : " ";
    line += right ? "──" : "  ";
  }
  return line;
}

std::string cable_list(const ClusterMap& map, const std::vector<Column>& columns) {
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (const auto index : columns[i].cables) {
      const Cable& cable = map.cables[index];
      const auto number = index == columns[i].cables.front() ? std::to_string(i + 1) : std::string();
      const auto hubs =
          cable.through.empty() ? "" : fmt::format(" through {}", fmt::join(cable.through, ", "));
      text += fmt::format("{:>4}  {}{}: {}\n", number, describe(map, cable), hubs, cable_text(map, cable));
    }
  }
  return text;
}

std::string place_of(const Problem& problem) {
  if (problem.node.empty()) return "";
  return problem.port.empty() ? problem.node : fmt::format("{} port {}", problem.node, problem.port);
}

}  // namespace

std::string draw_table(const ClusterMap& map) {
  std::vector<Row> rows = {{"machine", "port", "kind", "speed", "interface", "RDMA", "network", "on it"}};
  for (std::size_t node = 0; node < map.nodes.size(); ++node) {
    for (std::size_t port = 0; port < map.nodes[node].ports.size(); ++port)
      rows.push_back(row_of(map, {node, port}));
    if (map.nodes[node].ports.empty()) rows.push_back({map.nodes[node].name(), "-", "", "", "", "", "", ""});
  }
  for (auto& row : rows) {
    for (auto& cell : row) cell = printable(cell);
  }
  return aligned(rows);
}

std::string draw_picture(const ClusterMap& map) {
  const auto columns = columns_of(map);
  std::string text;
  if (!columns.empty() && columns.size() <= kMostColumns) {
    std::size_t width = 0;
    for (const auto& node : map.nodes) width = std::max(width, width_of(printable(node.name())));
    std::string numbers(width + 2, ' ');
    for (std::size_t i = 0; i < columns.size(); ++i) numbers += fmt::format("{:<3}", i + 1);
    text += numbers.substr(0, numbers.find_last_not_of(' ') + 1) + "\n";
    for (std::size_t node = 0; node < map.nodes.size(); ++node) {
      auto line = padded(printable(map.nodes[node].name()), width) + picture_line(columns, node);
      text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    text += "\n";
  }
  return text + printable_lines(cable_list(map, columns));
}

std::string draw_problems(const std::vector<Problem>& problems) {
  std::string text;
  std::vector<bool> told(problems.size(), false);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    if (told[i]) continue;
    const Problem& problem = problems[i];
    text += fmt::format("{} [{}]{}\n", to_string(problem.severity), to_string(problem.code),
                        problem.blocks ? " blocks" : "");
    // Ten ports in a bridge are ten lines, but one reason and one remedy.
    for (std::size_t j = i; j < problems.size(); ++j) {
      if (!same_advice(problem, problems[j])) continue;
      told[j] = true;
      const auto place = place_of(problems[j]);
      text += fmt::format("  {}{}\n", problems[j].what.find(place) == std::string::npos ? place + ": " : "",
                          problems[j].what);
    }
    text += fmt::format("  Why: {}\n  Next: {}\n", problem.why, problem.next);
  }
  return printable_lines(text);
}

std::string draw_plan(const ClusterMap& map, const Plan& plan) {
  std::string text = fmt::format("backend {}, {}: {}\n", hostfile::to_string(plan.backend),
                                 to_string(plan.topology), plan.reason);
  for (std::size_t rank = 0; rank < plan.ranks.size(); ++rank) {
    text += fmt::format("  rank {}  {}\n", rank, map.nodes[plan.ranks[rank]].name());
  }
  for (const auto& planned : plan.cables) {
    const Cable& cable = map.cables[planned.cable];
    text += fmt::format("  {} ({}) – {} ({}), {}\n", describe(map, cable.a), to_string(planned.ip_a),
                        describe(map, cable.b), to_string(planned.ip_b), planned.rdma ? "RDMA" : "TCP");
  }
  if (plan.search) text += fmt::format("  ring {}\n", describe(*plan.search));
  for (const auto& note : plan.notes) text += fmt::format("  note: {}\n", note);
  return printable_lines(text);
}

}  // namespace jackal::tbdiscovery
