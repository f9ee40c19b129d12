#include "bench/sizes.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "jackal/base/text.hpp"

namespace jackal::bench {

std::optional<std::uint64_t> parse_size(std::string_view text) {
  static constexpr std::string_view kUnits = "KMG";
  const std::size_t digits = text.find_first_not_of("0123456789");
  const auto number = parse_integer<std::uint64_t>(text.substr(0, digits));
  if (!number || *number == 0) return std::nullopt;
  if (digits == std::string_view::npos) return number;
  std::string_view unit = text.substr(digits);
  const char letter = unit[0] >= 'a' ? static_cast<char>(unit[0] - 'a' + 'A') : unit[0];
  const std::size_t power = kUnits.find(letter);
  unit.remove_prefix(1);
  if (power == std::string_view::npos || !(unit.empty() || unit == "iB")) return std::nullopt;
  const unsigned shift = 10 * (static_cast<unsigned>(power) + 1);
  if (*number > std::numeric_limits<std::uint64_t>::max() >> shift) return std::nullopt;
  return *number << shift;
}

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  double value = static_cast<double>(bytes);
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.4g} {}", value, kUnits[unit]);
}

std::vector<std::uint64_t> size_series(std::uint64_t least, std::uint64_t most, std::uint64_t factor) {
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t size = least; size <= most; size *= factor) {
    sizes.push_back(size);
    if (size > most / factor) break;
  }
  return sizes;
}

}  // namespace jackal::bench
