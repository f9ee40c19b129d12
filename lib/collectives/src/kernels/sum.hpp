// The arithmetic of all_sum, and what is known about each element type.
#pragma once

#include <cstddef>

#include "error.hpp"
#include "kernels/reduce.hpp"

namespace jackal::collectives {

/// into[i] = into[i] + from[i], as the "sum" row of the operations × types table says. Both are aligned for
/// the type and do not overlap.
void add(Dtype dtype, void* into, const void* from, std::size_t count);

}  // namespace jackal::collectives
