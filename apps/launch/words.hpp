// Splits text into words as a POSIX shell does, without expanding anything. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"

namespace jackal::launch {

/// Blanks separate words; '…' keeps everything, "…" everything but \ before $ ` " \ and a newline, \ keeps
/// the next byte; a backslash before a newline joins lines. `where` names the flag in errors (an open quote,
/// a \ at the end).
Result<std::vector<std::string>> split_words(std::string_view text, std::string_view where);

}  // namespace jackal::launch
