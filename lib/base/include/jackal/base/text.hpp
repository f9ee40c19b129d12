// Small readings of text that the standard library leaves out. Nothing is guessed: a number is the whole text
// or none.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace jackal {

/// The decimal number that `text` is, in full and in range; nullopt otherwise ("", "7x", " 7",
/// "99999999999").
template <class Integer>
std::optional<Integer> parse_integer(std::string_view text) {
  Integer value{};
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end || text.empty()) return std::nullopt;
  return value;
}

}  // namespace jackal
