// The arithmetic of all_sum, and what is known about each element type.
#pragma once

#include <cstddef>

#include "error.hpp"

namespace jackal::collectives {

/// Bytes of one element; 0 when `dtype` is none of the enumeration.
std::size_t dtype_size(Dtype dtype);

/// "float32"; "dtype 99" when it is none of the enumeration.
std::string dtype_name(Dtype dtype);

/// into[i] = into[i] + from[i], as the "sum" row of the operations × types table says. Both are aligned for
/// the type and do not overlap.
void add(Dtype dtype, void* into, const void* from, std::size_t count);

}  // namespace jackal::collectives
