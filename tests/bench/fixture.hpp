// Rows as the tests of what is printed and drawn need them.
#pragma once

#include "bench/operations.hpp"
#include "bench/row.hpp"

namespace jackal::bench {

/// An all-reduce of float32 by 4 ranks; a tenth took at most half of the median, and p99 is twice that.
inline Row measured(std::uint64_t bytes, double median_us, const std::string& algorithm = "auto") {
  Row row;
  row.op = "all_reduce";
  row.dtype = "float32";
  row.ranks = 4;
  row.transport = "shm";
  row.bytes = bytes;
  row.count = bytes / 4;
  row.algorithm = algorithm;
  row.iterations = 100;
  row.time = {median_us, median_us / 2, 2 * median_us};
  row.algbw = algorithm_bandwidth(bytes, median_us);
  row.busbw = row.algbw * bus_factor(Operation::all_reduce, 4);
  row.wrong = 0;
  return row;
}

}  // namespace jackal::bench
