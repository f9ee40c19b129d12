#include "bench/table.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace jackal::bench {
namespace {

constexpr const char* kLine = "{:>12} {:>12} {:>9} {:>20} {:>10} {:>10} {:>10} {:>9} {:>9} {:>7}\n";

// Four digits that mean something, at any size.
std::string time_text(double microseconds) {
  if (microseconds < 100) return fmt::format("{:.2f}", microseconds);
  return fmt::format("{:.{}f}", microseconds, microseconds < 1000 ? 1 : 0);
}

std::string bandwidth_text(double gigabytes) {
  return gigabytes == 0 ? "-" : fmt::format("{:.3f}", gigabytes);
}

}  // namespace

std::string table_head() {
  return fmt::format(kLine, "size", "count", "type", "algorithm", "median", "p10", "p99", "algbw", "busbw",
                     "wrong") +
         fmt::format(kLine, "(bytes)", "(elements)", "", "", "(us)", "(us)", "(us)", "(GB/s)", "(GB/s)", "");
}

std::string table_line(const Row& row) {
  return fmt::format(kLine, row.bytes, row.count, row.dtype, row.algorithm, time_text(row.time.median_us),
                     time_text(row.time.p10_us), time_text(row.time.p99_us), bandwidth_text(row.algbw),
                     bandwidth_text(row.busbw), row.wrong ? std::to_string(*row.wrong) : "-");
}

std::string json_text(const std::vector<Row>& rows) {
  std::string text = "[";
  for (const Row& row : rows) {
    nlohmann::ordered_json object = {{"op", row.op},
                                     {"dtype", row.dtype},
                                     {"ranks", row.ranks},
                                     {"transport", row.transport},
                                     {"bytes", row.bytes},
                                     {"algorithm", row.algorithm},
                                     {"iterations", row.iterations},
                                     {"median_us", row.time.median_us},
                                     {"p10_us", row.time.p10_us},
                                     {"p99_us", row.time.p99_us},
                                     {"algbw", row.algbw},
                                     {"busbw", row.busbw},
                                     {"wrong", nullptr}};
    if (row.wrong) object["wrong"] = *row.wrong;
    text += (text.size() == 1 ? "\n" : ",\n") + object.dump();
  }
  return text + "\n]\n";
}

}  // namespace jackal::bench
