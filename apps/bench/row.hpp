// One line of the result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/statistics.hpp"

namespace jackal::bench {

struct Row {
  std::string op;     // "all_reduce"
  std::string dtype;  // "float32"
  int ranks = 1;
  std::string transport;  // as asked for; "simulated" for a prediction
  std::uint64_t bytes = 0;
  std::uint64_t count = 0;  // elements, as the call counts them
  std::string algorithm;    // as asked for, "auto" when the library chose; of a prediction: which one
  int iterations = 0;       // 0: a prediction, whose three times are the same
  Spread time;
  double algbw = 0;                    // GB/s
  double busbw = 0;                    // GB/s
  std::optional<std::uint64_t> wrong;  // elements, of all ranks; nullopt when nobody looked
};

}  // namespace jackal::bench
