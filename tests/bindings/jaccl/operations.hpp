// Every operation of a group, held against the plainest way to compute it.
#pragma once

#include <cstddef>

#include "jaccl/jaccl.h"

namespace operations {

enum class Place { apart, same };

/// All operations with `count` elements of each of the 14 types, output apart from the input or the same
/// memory. Throws where a result is wrong. Every rank calls it.
void check_all(jaccl::Group& group, std::size_t count, Place place);

/// The same with several counts, from 0 to more than complex numbers are ordered at a time, in place and not.
void check_all_sizes(jaccl::Group& group);

}  // namespace operations
