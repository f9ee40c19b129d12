// A small selection from a large matrix that still has every pair of values together at least once. Pure.
#pragma once

#include <functional>
#include <vector>

namespace matrix {

/// One value of every axis, counted from 0; -1 where none has been chosen yet.
using Row = std::vector<int>;

/// Whether a row may stand in the matrix. Is asked about unfinished rows, too, and must accept exactly those
/// that can be finished.
using Allowed = std::function<bool(const Row& row)>;

/// Rows in which every pair of values of two axes that `allowed` accepts occurs. `sizes` says how many values
/// each axis has. The same rows for the same arguments.
std::vector<Row> covering(const std::vector<int>& sizes, const Allowed& allowed);

}  // namespace matrix
