#include <algorithm>
#include <cstdio>
#include <string>

#include "schedules/tuner.hpp"

namespace jackal::collectives {
namespace {

// `value` / `unit` with three digits or more: "9.54", "12.3", "1024".
std::string three_digits(std::int64_t value, std::int64_t unit) {
  const double number = static_cast<double>(value) / static_cast<double>(unit);
  char text[40];
  std::snprintf(text, sizeof text, "%.*f", number < 10 ? 2 : number < 100 ? 1 : 0, number);
  return text;
}

std::string bytes_text(std::int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  std::int64_t scale = 1;
  while (unit < 4 && bytes >= 1024 * scale) {
    scale *= 1024;
    ++unit;
  }
  const std::string number = bytes % scale == 0 ? std::to_string(bytes / scale) : three_digits(bytes, scale);
  return number + " " + kUnits[unit];
}

std::string time_text(std::int64_t time_ns) {
  if (time_ns < 1'000'000) return three_digits(time_ns, 1'000) + " us";
  if (time_ns < 1'000'000'000) return three_digits(time_ns, 1'000'000) + " ms";
  return three_digits(time_ns, 1'000'000'000) + " s";
}

std::string padded(std::string text, std::size_t width, bool right) {
  const std::size_t room = width - std::min(width, text.size());
  return right ? std::string(room, ' ') + text : text + std::string(room, ' ');
}

// "all alike" as "20.0 us", else "20.0 us to 31.0 us".
template <class Text>
std::string range(std::int64_t low, std::int64_t high, const Text& text) {
  return low == high ? text(low) : text(low) + " to " + text(high);
}

std::string links_text(const Fabric& fabric) {
  std::int64_t paths = 0;
  Path low;
  Path high;
  for (const Path& path : fabric.paths) {
    if (!path.linked()) continue;
    const std::int64_t bandwidth = path.bytes_per_ms * path.cables;
    if (paths++ == 0) {
      low = high = path;
      low.bytes_per_ms = high.bytes_per_ms = bandwidth;
    }
    low.latency_ns = std::min(low.latency_ns, path.latency_ns);
    high.latency_ns = std::max(high.latency_ns, path.latency_ns);
    low.bytes_per_ms = std::min(low.bytes_per_ms, bandwidth);
    high.bytes_per_ms = std::max(high.bytes_per_ms, bandwidth);
  }
  const std::string kind =
      fabric.complete() ? "every pair of ranks is linked" : "not every pair of ranks is linked";
  if (paths == 0) return kind;
  return std::to_string(paths / 2) + (paths == 2 ? " link, " : " links, ") + kind + "; latency " +
         range(low.latency_ns, high.latency_ns, time_text) + ", " +
         range(low.bytes_per_ms, high.bytes_per_ms,
               [](std::int64_t bytes_per_ms) { return three_digits(bytes_per_ms, 1'000'000) + " GB/s"; }) +
         " each way";
}

std::string comparison(const Prediction& one, const Prediction& best, bool first) {
  if (first) return "taken";
  const std::int64_t percent = (one.time_ns - best.time_ns) * 100 / std::max<std::int64_t>(1, best.time_ns);
  if (percent <= 0) return "about as long";
  return percent < 100
             ? std::to_string(percent) + " % longer"
             : three_digits(one.time_ns, std::max<std::int64_t>(1, best.time_ns)) + " times as long";
}

}  // namespace

std::string explain(const Shape& shape, const Fabric& fabric, std::int64_t chunk_bytes) {
  std::string text = operation_name(shape.operation);
  if (shape.operation != Operation::barrier) text += ", " + bytes_text(chunk_bytes) + " a rank";
  text += ", " + std::to_string(shape.ranks) + " ranks\n" + links_text(fabric) + "\n";
  const std::vector<Prediction> all = rank_algorithms(shape, fabric, chunk_bytes);
  if (all.empty()) return text + "no algorithm can do this here\n";
  text +=
      padded("algorithm", 20, false) + padded("slices of", 12, true) + padded("predicted", 14, true) + "\n";
  for (const Prediction& one : all) {
    const std::string slice = one.slice_bytes >= chunk_bytes ? "whole" : bytes_text(one.slice_bytes);
    text += padded(one.algorithm, 20, false) + padded(slice, 12, true) +
            padded(time_text(one.time_ns), 14, true) + "  " +
            comparison(one, all.front(), &one == &all.front()) + "\n";
  }
  return text;
}

}  // namespace jackal::collectives
