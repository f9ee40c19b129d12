// The selection has every pair that may be, nothing that may not, and is far smaller than the whole.
#include "collectives/matrix/covering.hpp"

#include <set>

#include "collectives/matrix/case.hpp"
#include "collectives/matrix/reference.hpp"
#include "support/catch.hpp"

using matrix::Row;

namespace {

const std::vector<int> kSizes = {4, 3, 3, 2, 5};

// The first axis' last value goes with the second's first one alone; the last axis' value 2 never with the
// third's value 1.
bool possible(const Row& row) {
  if (row[0] == 3 && row[1] > 0) return false;
  return row[4] != 2 || row[2] != 1;
}

bool everything(const Row&) { return true; }

using Pair = std::vector<int>;

std::set<Pair> pairs_of(const std::vector<Row>& rows) {
  std::set<Pair> pairs;
  for (const Row& row : rows)
    for (int a = 0; a < static_cast<int>(row.size()); ++a)
      for (int b = 0; b < a; ++b)
        pairs.insert({a, b, row[static_cast<std::size_t>(a)], row[static_cast<std::size_t>(b)]});
  return pairs;
}

std::vector<Row> all_rows(const std::vector<int>& sizes, const matrix::Allowed& allowed) {
  std::vector<Row> rows = {{}};
  for (const int size : sizes) {
    std::vector<Row> longer;
    for (const Row& row : rows)
      for (int value = 0; value < size; ++value) {
        longer.push_back(row);
        longer.back().push_back(value);
      }
    rows = longer;
  }
  std::erase_if(rows, [&](const Row& row) { return !allowed(row); });
  return rows;
}

}  // namespace

TEST_CASE("a covering selection has every pair of values that the whole has, and no others") {
  CHECK(pairs_of(matrix::covering(kSizes, everything)) == pairs_of(all_rows(kSizes, everything)));
  CHECK(pairs_of(matrix::covering(kSizes, possible)) == pairs_of(all_rows(kSizes, possible)));
}

TEST_CASE("a covering selection holds only rows that may be") {
  const auto rows = matrix::covering(kSizes, possible);
  for (const Row& row : rows) CHECK(possible(row));
  CHECK(rows.size() < 40);
  CHECK(all_rows(kSizes, possible).size() == 280);
}

TEST_CASE("one value of every axis is one row, and one axis is its values") {
  CHECK(matrix::covering({1, 1, 1}, everything) == std::vector<Row>{{0, 0, 0}});
  CHECK(matrix::covering({}, everything).empty());
}

TEST_CASE("the selected calls are ones that the library has") {
  const auto selected = matrix::selected(8, 7, 1);
  std::set<std::size_t> counts;
  for (const auto& placed : selected) {
    CHECK(matrix::allowed(placed.call.pattern.op, placed.call.pattern.dtype));
    CHECK(placed.ranks >= 1);
    CHECK(placed.ranks <= 8);
    counts.insert(placed.call.count);
  }
  CHECK(counts.count(0) == 1);
  CHECK(selected.size() < 1000);
}
