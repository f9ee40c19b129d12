#include "bench/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>

#include "bench/sizes.hpp"

namespace jackal::bench {
namespace {

constexpr double kPanelWidth = 560, kPanelHeight = 360;
constexpr double kLeft = 70, kRight = 20, kTop = 64, kBottom = 52;
constexpr double kLegendLine = 18;
constexpr int kMostSizeLabels = 8;
// Dark enough for white paper and told apart by the common kinds of colour blindness.
constexpr std::array<const char*, 7> kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                 "#a06a00", "#56b4e9", "#000000"};

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
  }
  return safe;
}

/// A logarithmic axis from value `least` to `most`, from pixel `from` to `to`.
struct Axis {
  double least, most, from, to;

  double at(double value) const {
    return from + (to - from) * std::log(value / least) / std::log(most / least);
  }
};

bool drawable(const Point& point) { return point.x > 0 && point.y > 0; }

struct Range {
  double least = 0, most = 0;
  void take(double value) {
    if (value <= 0) return;
    least = least == 0 ? value : std::min(least, value);
    most = std::max(most, value);
  }
};

// Whole decades, and at least one of them.
Range decades(Range range) {
  if (range.most == 0) return {1, 10};
  const double first = std::floor(std::log10(range.least) + 1e-9);
  const double last = std::ceil(std::log10(range.most) - 1e-9);
  return {std::pow(10, first), std::pow(10, std::max(last, first + 1))};
}

// Powers of two, and at least one doubling.
Range doublings(Range range) {
  if (range.most == 0) return {1, 2};
  const double first = std::floor(std::log2(range.least) + 1e-9);
  const double last = std::ceil(std::log2(range.most) - 1e-9);
  return {std::exp2(first), std::exp2(std::max(last, first + 1))};
}

std::string label(double x, double y, const char* anchor, const std::string& text, const char* extra = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, extra,
                     escaped(text));
}

std::string line(double x1, double y1, double x2, double y2, const char* colour) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"/>\n", x1,
                     y1, x2, y2, colour);
}

std::string size_axis(const Axis& x, const Axis& y) {
  std::string svg;
  const int first = static_cast<int>(std::lround(std::log2(x.least)));
  const int last = static_cast<int>(std::lround(std::log2(x.most)));
  const int step = std::max(1, (last - first + kMostSizeLabels - 1) / kMostSizeLabels);
  for (int power = first; power <= last; power += step) {
    const double at = x.at(std::exp2(power));
    svg += line(at, y.from, at, y.to, "#e4e4e4");
    svg += label(at, y.from + 18, "middle", size_text(std::uint64_t{1} << power));
  }
  return svg;
}

std::string value_axis(const Axis& x, const Axis& y) {
  std::string svg;
  const int first = static_cast<int>(std::lround(std::log10(y.least)));
  const int last = static_cast<int>(std::lround(std::log10(y.most)));
  for (int power = first; power <= last; ++power) {
    for (const int digit : {1, 2, 5}) {
      const double value = digit * std::pow(10, power);
      if (value > y.most * 1.001) break;
      const bool named = digit == 1 || last - first <= 2;
      svg += line(x.from, y.at(value), x.to, y.at(value), digit == 1 ? "#c8c8c8" : "#eeeeee");
      if (named) svg += label(x.from - 8, y.at(value) + 4, "end", fmt::format("{:g}", value));
    }
  }
  return svg;
}

std::string curve_svg(const Curve& curve, const char* colour, const Axis& x, const Axis& y) {
  std::string path, upper, lower, dots;
  bool has_band = false;
  const auto within = [&y](double value) { return y.at(std::clamp(value, y.least, y.most)); };
  for (const Point& point : curve.points) {
    if (!drawable(point)) continue;
    path += fmt::format("{}{:.1f},{:.1f}", path.empty() ? "" : " ", x.at(point.x), y.at(point.y));
    upper += fmt::format("{:.1f},{:.1f} ", x.at(point.x), within(point.high));
    lower = fmt::format("{:.1f},{:.1f} ", x.at(point.x), within(point.low)) + lower;
    has_band = has_band || point.low < point.y || point.high > point.y;
    dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\" fill=\"{}\"/>\n", x.at(point.x),
                        y.at(point.y), colour);
  }
  if (path.empty()) return {};
  std::string svg;
  if (has_band) {
    svg +=
        fmt::format("<polygon points=\"{}{}\" fill=\"{}\" fill-opacity=\"0.15\"/>\n", upper, lower, colour);
  }
  return svg +
         fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\"/>\n", path,
                     colour) +
         dots;
}

const char* colour_of(std::size_t index) { return kColours[index % kColours.size()]; }

std::string panel_svg(const Panel& panel, double offset) {
  Range sizes, values;
  for (const Curve& curve : panel.curves) {
    for (const Point& point : curve.points) {
      if (!drawable(point)) continue;
      sizes.take(point.x);
      for (const double value : {point.y, point.low, point.high}) values.take(value);
    }
  }
  sizes = doublings(sizes);
  values = decades(values);
  const Axis x{sizes.least, sizes.most, offset + kLeft, offset + kPanelWidth - kRight};
  const Axis y{values.least, values.most, kPanelHeight - kBottom, kTop};
  std::string svg = size_axis(x, y) + value_axis(x, y);
  svg += fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"none\" "
      "stroke=\"#444444\"/>\n",
      x.from, y.to, x.to - x.from, y.from - y.to);
  svg += label(offset + kLeft, kTop - 10, "start", panel.title + " (" + panel.unit + ")",
               " font-weight=\"bold\"");
  svg += label((x.from + x.to) / 2, kPanelHeight - 12, "middle", "size");
  for (std::size_t i = 0; i < panel.curves.size(); ++i) svg += curve_svg(panel.curves[i], colour_of(i), x, y);
  return svg;
}

std::string legend(const std::vector<Curve>& curves) {
  std::string svg;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const double y = kPanelHeight + kLegendLine * (static_cast<double>(i) + 0.5);
    svg += fmt::format(
        "<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{2:.1f}\" y2=\"{1:.1f}\" stroke=\"{3}\" "
        "stroke-width=\"3\"/>\n",
        kLeft, y - 4, kLeft + 24, colour_of(i));
    svg += label(kLeft + 32, y, "start", curves[i].name);
  }
  return svg;
}

}  // namespace

std::string plot_svg(const std::string& title, const std::vector<Panel>& panels) {
  const std::vector<Curve> none;
  const std::vector<Curve>& curves = panels.empty() ? none : panels.front().curves;
  const double width = kPanelWidth * static_cast<double>(std::max<std::size_t>(panels.size(), 1));
  const double height = kPanelHeight + kLegendLine * (static_cast<double>(curves.size()) + 0.5);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" "
      "font-family=\"sans-serif\" font-size=\"12\" fill=\"#222222\">\n<title>{2}</title>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
      width, height, escaped(title));
  svg += label(kLeft, 26, "start", title, " font-size=\"15\"");
  for (std::size_t i = 0; i < panels.size(); ++i) {
    svg += panel_svg(panels[i], kPanelWidth * static_cast<double>(i));
  }
  return svg + legend(curves) + "</svg>\n";
}

std::string plot_rows(const std::string& title, const std::vector<Row>& rows) {
  std::map<std::string, std::size_t> place;  // of each algorithm, in the order of their first rows
  Panel times{"time", "µs", {}};
  Panel bandwidths{"bus bandwidth", "GB/s", {}};
  for (const Row& row : rows) {
    const auto [found, is_new] = place.emplace(row.algorithm, place.size());
    if (is_new) {
      times.curves.push_back({row.algorithm, {}});
      bandwidths.curves.push_back({row.algorithm, {}});
    }
    const auto x = static_cast<double>(row.bytes);
    times.curves[found->second].points.push_back({x, row.time.median_us, row.time.p10_us, row.time.p99_us});
    bandwidths.curves[found->second].points.push_back({x, row.busbw, row.busbw, row.busbw});
  }
  return plot_svg(title, {times, bandwidths});
}

}  // namespace jackal::bench
