// The rows as people and programs read them. Pure.
#pragma once

#include <string>
#include <vector>

#include "bench/row.hpp"

namespace jackal::bench {

/// Two lines: the names of the columns and their units.
std::string table_head();
std::string table_line(const Row& row);

/// An array with one object a row, each on a line of its own; jackal-bench(1) lists the members.
std::string json_text(const std::vector<Row>& rows);

}  // namespace jackal::bench
