// "Did you mean …?": the known word that a mistyped one most likely stands for.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace jackal::hostfile {

/// The candidate that the fewest edits (insert, delete, replace, swap of neighbours, ASCII case is free) make
/// of `word`; nullopt when even that is more than a third of the longer word.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace jackal::hostfile
