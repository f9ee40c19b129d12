// One call of the matrix, with everything that may matter to it, and which calls there are.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "collectives/matrix/pattern.hpp"

namespace matrix {

enum class Operation {
  all_reduce,
  reduce_scatter,
  reduce,
  all_gather,
  all_gather_v,
  broadcast,
  gather,
  scatter,
  all_to_all,
  barrier,
  send_recv,  // each rank to the next one
  sendrecv,
};
constexpr int kOperations = 12;
/// The library's choice, and more names than any operation has.
constexpr int kMethods = 9;

const char* name_of(Operation operation);
bool reduces(Operation operation);
/// Whether every rank gets the same elements.
bool replicates(Operation operation);
/// Whether the library has a choice of algorithms.
bool has_algorithms(Operation operation);

struct Case {
  Operation operation{};
  Pattern pattern;        // dtype, op, values, seed
  std::size_t count = 0;  // elements of a chunk
  int root = 0;           // modulo the number of ranks
  int algorithm = 0;      // 0: the library's choice; else the k-th that it names, counted around
  bool in_place = false;
  bool async = false;
  bool buffer = false;     // in jackal::Buffer
  std::size_t offset = 0;  // bytes past an aligned address

  std::string text() const;
};

/// A call and the group that makes it.
struct Placed {
  int ranks = 1;
  int layout = 0;
  Case call;
};

/// Sizes in bytes of one chunk: nothing, one, odd ones, the edges of lines, frames, pages and of the sizes
/// at which methods change, and large ones with a remainder.
std::span<const std::size_t> sizes();

/// A selection that has every pair of values of two axes, for 1 … most_ranks ranks.
std::vector<Placed> selected(int most_ranks, int layouts, std::uint64_t seed);

/// Operation × type × op × size × algorithm for one group, in place and not, everything else going around.
/// `methods`: 1 for the library's choice, and how many algorithms the operation has. One in `thinned`, and of
/// the largest sizes an eighth of those.
std::vector<Case> all_of(const std::function<int(Operation)>& methods, std::uint64_t seed,
                         std::uint64_t thinned);

/// A call at random; bytes are at most about `most_bytes`, small ones as likely as large ones.
Case any(std::uint64_t seed, std::size_t most_bytes);

}  // namespace matrix
