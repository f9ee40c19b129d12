// Graphviz and SVG.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "drawing_text.hpp"
#include "jackal/tbdiscovery/drawing.hpp"
#include "lines.hpp"

namespace jackal::tbdiscovery {
namespace {

/// A quoted DOT string. Only the quote and the backslash are special in it.
std::string dot_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string label_of(const Node& node) {
  return node.report.model.empty() ? node.name() : fmt::format("{} ({})", node.name(), node.report.model);
}

std::string port_label(const ClusterMap& map, const End& end) {
  const Port& port = map.port(end);
  if (port.interface.empty()) return port.receptacle;
  return port.receptacle.empty() ? port.interface : fmt::format("{} {}", port.receptacle, port.interface);
}

struct Point {
  double x = 0;
  double y = 0;
};

constexpr double kBoxWidth = 168;
constexpr double kBoxHeight = 46;
constexpr double kMargin = 8;    // around everything
constexpr double kBetween = 14;  // parallel cables

/// Where machines stand and cables end.
class Canvas {
public:
  explicit Canvas(const ClusterMap& map) : map_(map) {
    const double count = static_cast<double>(map.nodes.size());
    radius_ = map.nodes.size() < 2 ? 0 : std::max(190.0, count * kBoxWidth * 1.2 / 6.28);
    // Higher than wide where many stand close: the labels between the topmost boxes need room.
    height_ = radius_ * (map.nodes.size() > 4 ? 1.4 : 1.0);
    center_ = {radius_ + kBoxWidth / 2 + kMargin, height_ + kBoxHeight / 2 + kMargin};
  }

  double width() const { return 2 * center_.x; }
  double height() const {
    double lowest = center_.y;
    for (std::size_t i = 0; i < map_.nodes.size(); ++i) lowest = std::max(lowest, machine(i).y);
    return lowest + kBoxHeight / 2 + kMargin;
  }

  Point machine(std::size_t node) const {
    const double angle =
        6.283185307179586 * static_cast<double>(node) / static_cast<double>(map_.nodes.size());
    return {center_.x + radius_ * std::sin(angle), center_.y - height_ * std::cos(angle)};
  }

  /// The ends of the cable, moved aside so that cables of one pair do not lie on each other.
  std::pair<Point, Point> line(std::size_t index) const {
    const Cable& cable = map_.cables[index];
    const auto same = cables_between(map_, cable.a.node, cable.b.node);
    const auto place = static_cast<double>(std::find(same.begin(), same.end(), index) - same.begin());
    const double aside = (place - (static_cast<double>(same.size()) - 1) / 2) * kBetween;
    Point a = machine(cable.a.node);
    Point b = machine(cable.b.node);
    const double length = std::max(1.0, std::hypot(b.x - a.x, b.y - a.y));
    const Point across = {-(b.y - a.y) / length * aside, (b.x - a.x) / length * aside};
    for (Point* point : {&a, &b}) {
      point->x += across.x;
      point->y += across.y;
    }
    return {a, b};
  }

private:
  const ClusterMap& map_;
  double radius_ = 0;
  double height_ = 0;  // the other radius
  Point center_;
};

/// On the way from `from` to `to`, just outside the box around `from`.
Point beside_box(Point from, Point to) {
  const double length = std::max(1.0, std::hypot(to.x - from.x, to.y - from.y));
  const double dx = std::abs(to.x - from.x) / length;
  const double dy = std::abs(to.y - from.y) / length;
  const double inside = std::min(dx > 0 ? kBoxWidth / 2 / dx : 1e9, dy > 0 ? kBoxHeight / 2 / dy : 1e9);
  const double step = std::min(inside + 12 + 16 * dx, length / 2);  // letters are wider than high
  return {from.x + (to.x - from.x) / length * step, from.y + (to.y - from.y) / length * step + 4};
}

std::string svg_text(Point at, const std::string& what, const std::string& attributes) {
  return fmt::format("  <text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", at.x, at.y, attributes,
                     xml_text(what));
}

std::string svg_cable(const ClusterMap& map, const Canvas& canvas, std::size_t index) {
  const Cable& cable = map.cables[index];
  const auto [a, b] = canvas.line(index);
  const bool rdma = rdma_obstacle(map, cable).empty();
  auto out = fmt::format(
      "  <line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
      "stroke-width=\"3\" class=\"cable{}\"{}><title>{}</title></line>\n",
      a.x, a.y, b.x, b.y, rdma ? "#1f6feb" : "#8a8a8a", rdma ? " rdma" : "",
      rdma ? "" : " stroke-dasharray=\"8 5\"",
      xml_text(describe(map, cable) + ": " + cable_text(map, cable)));
  for (const auto& [from, to, end] : {std::tuple{a, b, cable.a}, std::tuple{b, a, cable.b}}) {
    // A white rim under the letters keeps them readable on the line.
    for (const auto* look :
         {"class=\"rim\" fill=\"white\" stroke=\"white\" stroke-width=\"4\" aria-hidden=\"true\"",
          "class=\"label\" fill=\"#24292f\""}) {
      out += svg_text(beside_box(from, to), port_label(map, end),
                      fmt::format("font-size=\"11\" text-anchor=\"middle\" {}", look));
    }
  }
  return out;
}

std::string svg_machine(const ClusterMap& map, const Canvas& canvas, std::size_t node) {
  const Point at = canvas.machine(node);
  auto out = fmt::format(
      "  <rect class=\"machine\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{}\" height=\"{}\" rx=\"8\" "
      "fill=\"#f6f8fa\" "
      "stroke=\"#24292f\"/>\n",
      at.x - kBoxWidth / 2, at.y - kBoxHeight / 2, kBoxWidth, kBoxHeight);
  const auto fit = [](std::string text) {  // the box has room for about 24 letters
    if (width_of(text) <= 24) return text;
    while (width_of(text) > 21) text.pop_back();  // counts beginnings of letters, so it ends with a whole one
    return text + "...";
  };
  out += svg_text({at.x, at.y - 4}, fit(map.nodes[node].name()),
                  "class=\"name\" font-size=\"15\" font-weight=\"bold\" text-anchor=\"middle\"");
  const auto& model = map.nodes[node].report.model;
  out += svg_text({at.x, at.y + 14},
                  fit(model.empty() ? "RDMA " + rdma_text(map.nodes[node])
                                    : model + ", RDMA " + rdma_text(map.nodes[node])),
                  "class=\"detail\" font-size=\"11\" text-anchor=\"middle\"");
  return out;
}

}  // namespace

std::string draw_dot(const ClusterMap& map) {
  std::string out = "graph cluster {\n  node [shape=box];\n";
  for (std::size_t i = 0; i < map.nodes.size(); ++i) {
    out += fmt::format("  n{} [label={}];\n", i, dot_text(label_of(map.nodes[i])));
  }
  for (const auto& cable : map.cables) {
    const bool rdma = rdma_obstacle(map, cable).empty();
    auto label = cable.gbps > 0 ? fmt::format("{:g} Gb/s", cable.gbps) : std::string();
    if (!cable.through.empty()) label += fmt::format(" through {}", fmt::join(cable.through, ", "));
    out += fmt::format("  n{} -- n{} [taillabel={}, headlabel={}, label={}, style={}];\n", cable.a.node,
                       cable.b.node, dot_text(port_label(map, cable.a)), dot_text(port_label(map, cable.b)),
                       dot_text(label), rdma ? "solid" : "dashed");
  }
  for (std::size_t i = 0; i < map.strangers.size(); ++i) {
    const auto& stranger = map.strangers[i];
    out += fmt::format("  s{} [label={}, style=dashed];\n", i, dot_text(stranger.name + " (not listed)"));
    out += fmt::format("  n{} -- s{} [taillabel={}, style=dotted];\n", stranger.port.node, i,
                       dot_text(port_label(map, stranger.port)));
  }
  return out + "}\n";
}

std::string draw_svg(const ClusterMap& map) {
  const Canvas canvas(map);
  auto out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" "
      "font-family=\"system-ui, sans-serif\" role=\"img\">\n  <title>Machines and their Thunderbolt "
      "cables</title>\n",
      canvas.width(), canvas.height());
  for (std::size_t i = 0; i < map.cables.size(); ++i) {
    if (map.cables[i].a.node != map.cables[i].b.node) out += svg_cable(map, canvas, i);
  }
  for (std::size_t node = 0; node < map.nodes.size(); ++node) out += svg_machine(map, canvas, node);
  return out + "</svg>\n";
}

}  // namespace jackal::tbdiscovery
