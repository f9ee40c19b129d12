// The drawings for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "drawing_text.hpp"
#include "jackal/base/text.hpp"
#include "jackal/tbdiscovery/drawing.hpp"
#include "lines.hpp"

namespace jackal::tbdiscovery {
namespace {

using Row = std::vector<std::string>;

constexpr std::size_t kMostColumns = 40;  // of the picture; beyond that only the list is readable
constexpr std::size_t kPort = 1;
constexpr std::size_t kKind = 2;  // columns of the table that a narrow terminal does without
constexpr std::size_t kInterface = 4;
constexpr std::size_t kNetwork = 6;

std::string short_name(Generation generation) {
  switch (generation) {
    case Generation::thunderbolt3:
      return "TB3";
    case Generation::thunderbolt4:
      return "TB4";
    case Generation::thunderbolt5:
      return "TB5";
    case Generation::unknown:
      break;
  }
  return "?";
}

/// Without the device's name where it is the one that every Mac gives it.
std::string short_rdma(const Port& port) {
  const auto text = rdma_text(port);
  const auto usual = "rdma_" + port.interface + " ";
  return text.compare(0, usual.size(), usual) == 0 ? text.substr(usual.size()) : text;
}

std::string network_text(const Port& port) {
  std::string network = port.bridge.empty() ? "" : "in " + port.bridge;
  for (const auto& own : port.addresses) {
    network += (network.empty() ? "" : ", ") + fmt::format("{}/{}", to_string(own.address), own.prefix);
  }
  return network;
}

bool is_free(const ClusterMap& map, const End& end) {
  const Port& port = map.port(end);
  return network_text(port).empty() && occupant(map, end).empty();
}

Row row_of(const ClusterMap& map, const End& end) {
  const Port& port = map.port(end);
  const auto receptacle = port.receptacle.empty() ? "?" : port.receptacle;
  const auto interface = port.interface.empty() ? "?" : port.interface;
  if (is_free(map, end)) return {"", receptacle, short_name(port.generation), "", interface, "", "", "free"};
  return {"",        receptacle,       short_name(port.generation), speed_text(port),
          interface, short_rdma(port), network_text(port),          occupant(map, end)};
}

/// "2–6" for 2, 3, 4, 5, 6; "en1, en6" for others.
std::string series(const std::vector<std::string>& names) {
  const auto number = [&](std::size_t i) {
    const auto digits = names[i].find_first_of("0123456789");
    const bool same = digits != std::string::npos && names[i].compare(0, digits, names[0], 0, digits) == 0;
    return same ? parse_integer<int>(names[i].substr(digits)) : std::nullopt;
  };
  bool counts_up = names.size() > 2;
  for (std::size_t i = 0; counts_up && i < names.size(); ++i)
    counts_up = number(0) && number(i) == *number(0) + static_cast<int>(i);
  return counts_up ? names.front() + "–" + names.back() : fmt::format("{}", fmt::join(names, ", "));
}

/// Free ports of one kind in one row.
std::vector<Row> rows_of(const ClusterMap& map, std::size_t node) {
  std::vector<Row> rows;
  std::vector<std::string> ports;
  std::vector<std::string> interfaces;
  for (std::size_t port = 0; port < map.nodes[node].ports.size(); ++port) {
    auto row = row_of(map, {node, port});
    const bool same = port > 0 && is_free(map, {node, port}) && is_free(map, {node, port - 1}) &&
                      rows.back()[kKind] == row[kKind];
    if (!same) {
      ports.clear();
      interfaces.clear();
      rows.push_back(row);
    }
    ports.push_back(row[kPort]);
    interfaces.push_back(row[kInterface]);
    rows.back()[kPort] = series(ports);
    rows.back()[kInterface] = series(interfaces);
  }
  if (rows.empty()) rows.push_back({"", "-", "", "", "", "", "", ""});
  rows.front()[0] = map.nodes[node].name();
  return rows;
}

std::vector<std::size_t> widths_of(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  return widths;
}

/// Columns of no width are left out.
std::string aligned(const std::vector<Row>& rows, const std::vector<std::size_t>& widths) {
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

std::size_t columns_for(const std::vector<std::size_t>& widths) {
  std::size_t total = 0;
  for (const auto width : widths) total += width > 0 ? width + 2 : 0;
  return total < 2 ? 0 : total - 2;
}

/// A pair of machines with at least one cable: one column of the picture.
struct Column {
  std::size_t top = 0;
  std::size_t bottom = 0;
  std::vector<std::size_t> cables;

  bool doubled() const { return cables.size() > 1; }
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
      line += column.doubled() ? (right ? "╥" : "╖") : right ? "┬" : "┐";
    else if (column.bottom == node)
      line += column.doubled() ? (right ? "╨" : "╜") : right ? "┴" : "┘";
    else if (column.top < node && node < column.bottom)
      line += column.doubled() ? (inside ? "╫" : "║") : inside ? "┼" : "│";
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

std::string draw_table(const ClusterMap& map, std::size_t width) {
  std::vector<Row> rows = {{"machine", "port", "kind", "speed", "interface", "RDMA", "network", "on it"}};
  for (std::size_t node = 0; node < map.nodes.size(); ++node) {
    auto more = rows_of(map, node);
    rows.insert(rows.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  for (auto& row : rows) {
    for (auto& cell : row) cell = printable(cell);
  }
  auto widths = widths_of(rows);
  for (const auto column : {kKind, kInterface, kNetwork}) {
    if (width > 0 && columns_for(widths) > width) widths[column] = 0;
  }
  return aligned(rows, widths);
}

std::string draw_picture(const ClusterMap& map, std::size_t width) {
  const auto columns = columns_of(map);
  std::string text;
  std::size_t names = 0;
  for (const auto& node : map.nodes) names = std::max(names, width_of(printable(node.name())));
  const bool fits = width == 0 || names + 2 + 3 * columns.size() <= width;
  if (!columns.empty() && columns.size() <= kMostColumns && fits) {
    std::string numbers(names + 2, ' ');
    for (std::size_t i = 0; i < columns.size(); ++i) numbers += fmt::format("{:<3}", i + 1);
    text += numbers.substr(0, numbers.find_last_not_of(' ') + 1) + "\n";
    for (std::size_t node = 0; node < map.nodes.size(); ++node) {
      auto line = padded(printable(map.nodes[node].name()), names) + picture_line(columns, node);
      text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    text += "\n";
  }
  return text + wrapped(printable_lines(cable_list(map, columns)), width, 4);
}

std::string draw_problems(const std::vector<Problem>& problems, std::size_t width) {
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
  return wrapped(printable_lines(text), width, 2);
}

std::string draw_no_plan(const Error& error, std::size_t width) {
  return wrapped(printable_lines("none: " + error.text()), width, 2);
}

std::string draw_plan(const ClusterMap& map, const Plan& plan, std::size_t width) {
  auto head = fmt::format("backend {}, {}: {}\n", hostfile::to_string(plan.backend), to_string(plan.topology),
                          plan.reason);
  std::string ranks;
  for (std::size_t rank = 0; rank < plan.ranks.size(); ++rank) {
    ranks += fmt::format("  rank {}  {}\n", rank, map.nodes[plan.ranks[rank]].name());
  }
  std::vector<Row> cables;
  for (const auto& planned : plan.cables) {
    const Cable& cable = map.cables[planned.cable];
    cables.push_back({describe(map, cable.a), to_string(planned.ip_a), "–", describe(map, cable.b),
                      to_string(planned.ip_b), planned.rdma ? "RDMA" : "TCP"});
    for (auto& cell : cables.back()) cell = printable(cell);
  }
  const auto table = cables.empty() ? std::string() : aligned(cables, widths_of(cables));
  std::string links;
  for (const auto line : lines_of(table)) links += fmt::format("  {}\n", line);
  std::string notes;
  if (plan.search) notes += fmt::format("  ring {}\n", describe(*plan.search));
  for (const auto& note : plan.notes) notes += fmt::format("  note: {}\n", note);
  return wrapped(printable_lines(head), width, 2) + printable_lines(ranks) + links +
         wrapped(printable_lines(notes), width, 2);
}

}  // namespace jackal::tbdiscovery
