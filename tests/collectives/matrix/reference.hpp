// What a reduction must give, element by element and in plain words, without any code of the library.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "collectives/matrix/pattern.hpp"

namespace matrix {

/// Whether the table of operations and types has this pair.
bool allowed(Op op, Dtype dtype);

/// What is wrong with `got` as `parts`[0] op `parts`[1] op … of one rank's elements each; "" when nothing is.
/// Integers and bool must be equal. Floating-point numbers must be equal for min, max and one rank and where
/// `values` says that every order is exact; else within the bound of the roundings that as many terms allow.
std::string problem_of(const Pattern& pattern, const std::vector<Bytes>& parts,
                       std::span<const std::byte> got);

}  // namespace matrix
