#include "collectives/matrix/covering.hpp"

#include <cstddef>
#include <stdexcept>

namespace matrix {
namespace {

std::size_t index(int value) { return static_cast<std::size_t>(value); }

// The pairs that no row has yet: one flag for each two values of each two axes.
class Pairs {
public:
  Pairs(const std::vector<int>& sizes, const Allowed& allowed) : sizes_(sizes) {
    for (std::size_t a = 0; a < sizes.size(); ++a)
      for (std::size_t b = 0; b < a; ++b) {
        std::vector<bool> open;
        for (int x = 0; x < sizes[a]; ++x)
          for (int y = 0; y < sizes[b]; ++y) {
            Row row(sizes.size(), -1);
            row[a] = x;
            row[b] = y;
            open.push_back(allowed(row));
          }
        open_.push_back(std::move(open));
      }
  }

  bool open(std::size_t a, int x, std::size_t b, int y) const { return open_[table(a, b)][cell(a, x, b, y)]; }

  // A row with nothing but the first pair that is still open; empty when there is none.
  Row first() const {
    for (std::size_t a = 0; a < sizes_.size(); ++a)
      for (std::size_t b = 0; b < a; ++b)
        for (int x = 0; x < sizes_[a]; ++x)
          for (int y = 0; y < sizes_[b]; ++y)
            if (open(a, x, b, y)) {
              Row row(sizes_.size(), -1);
              row[a] = x;
              row[b] = y;
              return row;
            }
    return {};
  }

  // How many open pairs value x of axis a would close in this row.
  int gain(const Row& row, std::size_t a, int x) const {
    int count = 0;
    for (std::size_t b = 0; b < row.size(); ++b)
      if (b != a && row[b] >= 0 && open(a, x, b, row[b])) ++count;
    return count;
  }

  void close(const Row& row) {
    for (std::size_t a = 0; a < row.size(); ++a)
      for (std::size_t b = 0; b < a; ++b) open_[table(a, b)][cell(a, row[a], b, row[b])] = false;
  }

private:
  static std::size_t table(std::size_t a, std::size_t b) {
    const std::size_t high = a > b ? a : b;
    const std::size_t low = a > b ? b : a;
    return high * (high - 1) / 2 + low;
  }
  std::size_t cell(std::size_t a, int x, std::size_t b, int y) const {
    return a > b ? index(x) * index(sizes_[b]) + index(y) : index(y) * index(sizes_[a]) + index(x);
  }

  std::vector<int> sizes_;
  std::vector<std::vector<bool>> open_;
};

}  // namespace

std::vector<Row> covering(const std::vector<int>& sizes, const Allowed& allowed) {
  Pairs pairs(sizes, allowed);
  std::vector<std::vector<int>> used;
  for (const int size : sizes) used.emplace_back(size, 0);

  std::vector<Row> rows;
  for (Row row = pairs.first(); !row.empty(); row = pairs.first()) {
    for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
      if (row[axis] >= 0) continue;
      int best = -1;
      int best_gain = -1;
      for (int value = 0; value < sizes[axis]; ++value) {
        row[axis] = value;
        if (!allowed(row)) continue;
        row[axis] = -1;
        const int gain = pairs.gain(row, axis, value);
        const bool rarer = best >= 0 && used[axis][index(value)] < used[axis][index(best)];
        if (gain < best_gain || (gain == best_gain && !rarer)) continue;
        best = value;
        best_gain = gain;
      }
      if (best < 0) throw std::logic_error("allowed() accepted a row that cannot be finished");
      row[axis] = best;
      ++used[axis][index(best)];
    }
    pairs.close(row);
    rows.push_back(row);
  }
  return rows;
}

}  // namespace matrix
