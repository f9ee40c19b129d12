// What the reader says about a text that it must refuse.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "jackal/hostfile/reader.hpp"
#include "support/catch.hpp"

/// The error's first line; "(accepted)" when there is none.
inline std::string refusal(std::string_view text,
                           std::optional<jackal::hostfile::Backend> backend = std::nullopt) {
  const auto result = jackal::hostfile::parse(text, "h.json", {backend});
  if (result) return "(accepted)";
  CHECK(result.error().code == jackal::ErrorCode::bad_input);
  return result.error().where + ": " + result.error().what;
}

inline std::string hint_for(std::string_view text) {
  const auto result = jackal::hostfile::parse(text, "h.json");
  return result ? "(accepted)" : result.error().hint;
}
