// "Did you mean …?" for a mistyped flag or value. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackal::cli {

/// The candidate that the fewest edits (insert, delete, replace a byte, swap two neighbours) make of `word`;
/// nullopt when none is near enough to be a typing mistake.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace jackal::cli
