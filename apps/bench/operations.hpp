// What is measured, what its size means and how its bandwidths are reckoned, as nccl-tests does it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace jackal::bench {

enum class Operation {
  all_reduce,
  reduce_scatter,
  all_gather,
  broadcast,
  reduce,
  gather,
  scatter,
  all_to_all,
  barrier,
  sendrecv,
};

/// In the order of the enumeration's values.
const std::vector<std::string>& operation_names();
const std::string& name_of(Operation operation);

bool reduces(Operation operation);       // takes a reduction
bool has_root(Operation operation);      // takes a root
bool has_in_place(Operation operation);  // may put its result where the input was
/// A rank can be done before another has begun: without a barrier between the calls, what is measured is how
/// many of them are under way at once.
bool may_run_ahead(Operation operation);

/// One size: what the calls are given.
struct Extent {
  std::uint64_t count = 0;  // elements, as the call counts them
  std::uint64_t in = 0;     // elements of the input
  std::uint64_t out = 0;    // elements of the output
  std::uint64_t bytes = 0;  // the size as nccl-tests counts it: the larger of the two buffers
  bool operator==(const Extent&) const = default;
};

/// `bytes` rounded down to what the operation can do, which is at least one element of every rank.
Extent extent(Operation operation, std::uint64_t bytes, std::size_t element_bytes, int ranks);

/// Bus bandwidth over algorithm bandwidth: what share of its bytes the busiest link has to carry.
double bus_factor(Operation operation, int ranks);

/// 10^9 bytes a second; 0 when there are no bytes or no time.
double algorithm_bandwidth(std::uint64_t bytes, double microseconds);

}  // namespace jackal::bench
