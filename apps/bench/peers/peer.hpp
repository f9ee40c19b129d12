// main() of a program that measures somebody else's library as jackal-bench measures ours. It takes the same
// command line, as far as the library can do it.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "bench/command_line.hpp"
#include "bench/failure.hpp"
#include "bench/program.hpp"

namespace jackal::bench {

/// What all of these programs can do: sums of float32 in ordinary memory, root 0.
inline void refuse_unless_plain(const Options& options) {
  const bool plain = options.action == Action::measure && options.dtype == Element::float32 &&
                     options.reduction == Reduction::sum && options.root == 0 &&
                     options.buffers == Buffers::ordinary && !options.explain && !options.transport;
  if (!plain) throw Failure(Reason::usage, "only sums of float32 in ordinary buffers are compared");
}

/// `run` makes the contender and calls run_measurement.
inline int peer_main(int argc, char** argv, const std::function<int(const Options&)>& run) {
  try {
    const auto options = parse_options({argv + 1, argv + argc});
    if (!options) return end_with(options.error());
    refuse_unless_plain(*options);
    return run(*options);
  } catch (const Failure& failure) {
    fmt::print(stderr, "{}: {}\n", argv[0], failure.what());
    return exit_code_for(failure.reason());
  } catch (const std::exception& exception) {
    fmt::print(stderr, "{}: {}\n", argv[0], exception.what());
    return exit_code_for(Reason::internal);
  }
}

}  // namespace jackal::bench
