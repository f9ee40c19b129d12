#include "bench/plot.hpp"

#include <regex>

#include "bench/fixture.hpp"
#include "support/catch.hpp"

namespace jackal::bench {
namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

bool has_label(const std::string& svg, const std::string& text) {
  return svg.find(">" + text + "</text>") != std::string::npos;
}

std::vector<std::pair<double, double>> points_of(const std::string& svg) {
  static const std::regex kDot("<circle cx=\"([0-9.-]+)\" cy=\"([0-9.-]+)\"");
  std::vector<std::pair<double, double>> points;
  for (std::sregex_iterator it(svg.begin(), svg.end(), kDot), end; it != end; ++it) {
    points.emplace_back(std::stod((*it)[1]), std::stod((*it)[2]));
  }
  return points;
}

Panel panel_of(std::vector<Point> points) { return {"time", "µs", {{"ring", std::move(points)}}}; }

}  // namespace

TEST_CASE("both axes are logarithmic: equal factors are equal steps") {
  const auto points =
      points_of(plot_svg("t", {panel_of({{8, 1, 1, 1}, {64, 10, 10, 10}, {512, 100, 100, 100}})}));
  REQUIRE(points.size() == 3);
  CHECK(points[1].first - points[0].first == Approx(points[2].first - points[1].first).margin(0.2));
  CHECK(points[0].second - points[1].second == Approx(points[1].second - points[2].second).margin(0.2));
  CHECK(points[0].second > points[2].second);
}

TEST_CASE("the axes are labelled in sizes and in powers of ten") {
  const std::string svg = plot_svg("t", {panel_of({{8, 0.3, 0.3, 0.3}, {1 << 27, 90000, 90000, 90000}})});
  CHECK(has_label(svg, "8 B"));
  CHECK(has_label(svg, "64 B"));
  CHECK(has_label(svg, "128 MiB"));
  CHECK(has_label(svg, "0.1"));
  CHECK(has_label(svg, "100000"));
  CHECK(has_label(svg, "time (µs)"));
}

TEST_CASE("rows become a curve for every algorithm, of times and of bandwidths") {
  const std::string svg = plot_rows("all_reduce", {measured(8, 2, "ring"), measured(8, 1, "mesh"),
                                                   measured(16, 2, "ring"), measured(16, 1, "mesh")});
  CHECK(count_of(svg, "<polyline") == 4);
  CHECK(count_of(svg, "<polygon") == 2);  // the bands of the times
  CHECK(count_of(svg, "<circle") == 8);
  CHECK(has_label(svg, "ring"));
  CHECK(has_label(svg, "mesh"));
}

TEST_CASE("a single point, no point and values of zero are drawn without harm") {
  CHECK(points_of(plot_svg("t", {panel_of({{8, 1, 1, 1}})})).size() == 1);
  CHECK(points_of(plot_svg("t", {panel_of({})})).empty());
  CHECK(points_of(plot_svg("t", {})).empty());
  const std::string svg = plot_svg("t", {panel_of({{0, 1, 1, 1}, {8, 0, 0, 0}, {16, 5, 0, 5}})});
  CHECK(points_of(svg).size() == 1);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("inf") == std::string::npos);
}

TEST_CASE("names from outside cannot break the drawing") {
  const std::string svg = plot_svg("<a & \"b\">", {{"t", "u", {{"</svg>\x01", {{8, 1, 1, 1}}}}}});
  CHECK(svg.find("<title>&lt;a &amp; &quot;b&quot;&gt;</title>") != std::string::npos);
  CHECK(count_of(svg, "</svg>") == 1);
  CHECK(svg.find('\x01') == std::string::npos);
}

}  // namespace jackal::bench
