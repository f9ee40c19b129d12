// The command line of jackal-bench(1), read and checked. Pure.
#pragma once

#include <string>
#include <vector>

#include "bench/options.hpp"
#include "jackal/base/error.hpp"

namespace jackal::bench {

/// `args` without the program's name. What cannot be carried out is ErrorCode::usage, names the flag and says
/// what would do.
Result<Options> parse_options(const std::vector<std::string>& args);

/// What --help prints, made from the same table that parse_options reads.
std::string help_text();

/// "jackal-bench 0.1.0" and a newline.
std::string version_text();

}  // namespace jackal::bench
