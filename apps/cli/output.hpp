// Standard output, written so that a full disk or a closed pipe is noticed.
#pragma once

#include <string_view>

#include "jackal/base/error.hpp"

namespace jackal::cli {

Result<void> print(std::string_view text);

}  // namespace jackal::cli
