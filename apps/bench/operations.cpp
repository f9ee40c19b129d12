#include "bench/operations.hpp"

#include <algorithm>

namespace jackal::bench {
namespace {

// One of the two buffers holds a chunk for every rank.
bool has_chunks(Operation operation) {
  switch (operation) {
    case Operation::reduce_scatter:
    case Operation::all_gather:
    case Operation::gather:
    case Operation::scatter:
    case Operation::all_to_all:
      return true;
    default:
      return false;
  }
}

}  // namespace

const std::vector<std::string>& operation_names() {
  static const std::vector<std::string> kNames = {"all_reduce", "reduce_scatter", "all_gather", "broadcast",
                                                  "reduce",     "gather",         "scatter",    "all_to_all",
                                                  "barrier",    "sendrecv"};
  return kNames;
}

const std::string& name_of(Operation operation) {
  return operation_names()[static_cast<std::size_t>(operation)];
}

bool reduces(Operation operation) {
  return operation == Operation::all_reduce || operation == Operation::reduce_scatter ||
         operation == Operation::reduce;
}

bool has_root(Operation operation) {
  return operation == Operation::broadcast || operation == Operation::reduce ||
         operation == Operation::gather || operation == Operation::scatter;
}

bool has_in_place(Operation operation) {
  return reduces(operation) || operation == Operation::all_gather || operation == Operation::all_to_all;
}

bool may_run_ahead(Operation operation) { return has_root(operation) || operation == Operation::sendrecv; }

Extent extent(Operation operation, std::uint64_t bytes, std::size_t element_bytes, int ranks) {
  if (operation == Operation::barrier) return {};
  const std::uint64_t chunks = has_chunks(operation) ? static_cast<std::uint64_t>(ranks) : 1;
  const std::uint64_t count = std::max<std::uint64_t>(1, bytes / chunks / element_bytes);
  Extent extent{count, count, count, count * chunks * element_bytes};
  if (operation == Operation::reduce_scatter || operation == Operation::scatter) extent.in *= chunks;
  if (operation == Operation::all_gather || operation == Operation::gather) extent.out *= chunks;
  if (operation == Operation::all_to_all) extent.in = extent.out = count * chunks;
  if (operation == Operation::broadcast) extent.in = 0;
  return extent;
}

double bus_factor(Operation operation, int ranks) {
  const double n = ranks;
  if (operation == Operation::all_reduce) return 2 * (n - 1) / n;
  if (has_chunks(operation)) return (n - 1) / n;
  return 1;
}

double algorithm_bandwidth(std::uint64_t bytes, double microseconds) {
  return microseconds > 0 ? static_cast<double>(bytes) / microseconds / 1000 : 0;
}

}  // namespace jackal::bench
