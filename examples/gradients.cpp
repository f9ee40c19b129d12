// Data-parallel training in small: every rank fits a line to points of its own, and all take the same steps.
// Each layer's gradient is averaged while the next one is still being computed.  Try:  launch -n 4 --
// gradients
#include <jackal/collectives.h>

#include <array>
#include <cstdio>
#include <vector>

namespace {

constexpr std::size_t kPoints = 4096;
constexpr int kSteps = 200;

struct Point {
  float x;
  float y;
};

// Points of y = 3x - 1, different ones on each rank.
std::vector<Point> points_of(int rank) {
  std::vector<Point> points(kPoints);
  for (std::size_t i = 0; i < kPoints; ++i) {
    const float x = static_cast<float>((i * 37 + static_cast<std::size_t>(rank) * 11) % 100) / 50.0F - 1.0F;
    points[i] = {x, 3.0F * x - 1.0F};
  }
  return points;
}

// The mean over this rank's points of d/d(parameter) (prediction - y)^2 / 2.
template <class Derivative>
float gradient(const std::vector<Point>& points, float slope, float offset, Derivative derivative) {
  float sum = 0;
  for (const Point& point : points) sum += (slope * point.x + offset - point.y) * derivative(point);
  return sum / static_cast<float>(points.size());
}

}  // namespace

int main() {
  try {
    jackal::Group group = jackal::init();
    const std::vector<Point> points = points_of(group.rank());

    // Every rank starts with what rank 0 has.
    std::array<float, 2> line = {0.5F, 0.5F};
    group.broadcast(line, 0);

    for (int step = 0; step < kSteps; ++step) {
      float slope = gradient(points, line[0], line[1], [](const Point& point) { return point.x; });
      jackal::Handle averaged =
          group.all_reduce_async(&slope, &slope, 1, jackal::Dtype::float32, jackal::Op::average);
      // Goes on while the slope's gradient is under way.
      float offset = gradient(points, line[0], line[1], [](const Point&) { return 1.0F; });
      group.all_reduce(&offset, &offset, 1, jackal::Dtype::float32, jackal::Op::average);
      averaged.wait();  // until then `slope` belongs to the operation
      line[0] -= 0.5F * slope;
      line[1] -= 0.5F * offset;
    }

    std::printf("rank %d of %d: y = %.2f x + %.2f\n", group.rank(), group.size(),
                static_cast<double>(line[0]), static_cast<double>(line[1]));
    return std::fflush(stdout) == 0 ? 0 : 1;
  } catch (const jackal::Error& error) {
    std::fprintf(stderr, "gradients: %s\n", error.what());
    return 1;
  }
}
