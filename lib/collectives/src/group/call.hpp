// One collective call as its caller meant it: what ranks compare, and what messages say.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "error.hpp"

namespace jackal::collectives {

enum class Operation : std::uint8_t {
  all_reduce = 1,
  reduce_scatter,
  all_gather,
  all_gather_v,
  broadcast,
  reduce,
  gather,
  scatter,
  all_to_all,
  barrier,
  split,
};

/// "all_reduce"; "an unknown operation" for what came from outside and is none.
const char* operation_name(Operation operation);

/// Whether the operation combines elements, so that Call::op means something.
bool reduces(Operation operation);

struct Call {
  Operation operation{};
  Op op = Op::sum;  // of reductions
  Dtype dtype = Dtype::uint8;
  std::size_t count = 0;  // elements, as the caller gave them; of all_gather_v: the sum of all
  int root = -1;
  std::uint32_t extra = 0;  // what else must agree: a digest of the algorithm's name, of all counts, …

  /// "all_sum of 10 float32", "broadcast of 3 int8 from rank 2", "barrier".
  std::string text() const;
};

/// A call with its number in its group, as it travels and lies in shared memory: 32 bytes, little-endian.
struct Signature {
  static constexpr std::size_t kSize = 32;
  std::array<std::byte, kSize> bytes{};

  static Signature of(std::uint64_t number, const Call& call);
  std::uint64_t number() const;
  void set_number(std::uint64_t number);
  /// "all_sum of 10 float32 as its call 7"; copes with any bytes.
  std::string text() const;
  bool operator==(const Signature&) const = default;
};

}  // namespace jackal::collectives
