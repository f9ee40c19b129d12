// Calls with known inputs and a plain reference for their results.
#pragma once

#include <string>

#include "collectives/shm_domains.hpp"

namespace shm_test {

enum class Where { ordinary, in_place, buffers, buffers_in_place };

struct Trial {
  jc::Operation operation = jc::Operation::all_reduce;
  jc::Dtype dtype = jc::Dtype::float32;
  jc::Op op = jc::Op::sum;
  std::size_t count = 0;
  int root = 0;
  Where where = Where::ordinary;
  std::size_t shift = 0;  // bytes by which operands miss their alignment
  unsigned seed = 0;

  std::string text() const;
};

/// Carries it out as one rank and compares with the reference: "" when all is right.
std::string carry_out(Rank& rank, const Trial& trial);

/// One that is legal for `size` ranks, with at most `most` elements.
Trial random_trial(std::uint64_t seed, std::size_t size, std::size_t most);

}  // namespace shm_test
