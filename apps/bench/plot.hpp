// Curves over sizes as an SVG of its own: both axes logarithmic, readable on white and on paper. Pure.
#pragma once

#include <string>
#include <vector>

#include "bench/row.hpp"

namespace jackal::bench {

struct Point {
  double x = 0;
  double y = 0;
  double low = 0;  // of the band around the curve; low and high are y where there is none
  double high = 0;
};

struct Curve {
  std::string name;
  std::vector<Point> points;
};

struct Panel {
  std::string title;
  std::string unit;  // of the vertical axis
  std::vector<Curve> curves;
};

/// Points that no logarithm has (0 and below) are left out. Panels stand side by side over bytes.
std::string plot_svg(const std::string& title, const std::vector<Panel>& panels);

/// Times and bus bandwidths, a curve for every algorithm.
std::string plot_rows(const std::string& title, const std::vector<Row>& rows);

}  // namespace jackal::bench
