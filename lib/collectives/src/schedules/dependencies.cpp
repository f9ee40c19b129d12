#include <algorithm>

#include "schedules/schedule.hpp"

namespace jackal::collectives {
namespace {

// Who touched one block last.
struct Cell {
  int writer = -1;
  std::vector<int> readers;  // since then
};

class Memory {
public:
  explicit Memory(std::optional<int> input_at) : input_at_(input_at) {}

  // Cell numbers: three rows, where input is part of the output's when both may be the same memory.
  Cell& cell(Space space, int block) {
    const int shift = input_at_ ? std::max(0, -*input_at_) : 0;
    if (space == Space::output) return in(0, block + shift);
    if (space == Space::scratch) return in(1, block);
    return input_at_ ? in(0, block + shift + *input_at_) : in(2, block);
  }

private:
  Cell& in(std::size_t row, int block) {
    const std::size_t number = static_cast<std::size_t>(block);
    if (rows_[row].size() <= number) rows_[row].resize(std::max(number + 1, 2 * rows_[row].size()));
    return rows_[row][number];
  }

  std::optional<int> input_at_;
  std::vector<Cell> rows_[3];
};

}  // namespace

std::vector<std::vector<int>> dependencies(const Program& program) {
  Memory memory(program.input_at);
  std::vector<std::vector<int>> all;
  all.reserve(program.steps.size());
  for (int number = 0; number < static_cast<int>(program.steps.size()); ++number) {
    const Step& step = program.steps[static_cast<std::size_t>(number)];
    std::vector<int> after;
    for (const Piece& piece : {step.a, step.b}) {
      for (int block = piece.first; block < piece.first + piece.blocks; ++block) {
        Cell& cell = memory.cell(piece.space, block);
        if (cell.writer >= 0) after.push_back(cell.writer);
        cell.readers.push_back(number);
      }
    }
    for (int block = step.to.first; block < step.to.first + step.to.blocks; ++block) {
      Cell& cell = memory.cell(step.to.space, block);
      // Readers have waited for the writer before them.
      if (cell.readers.empty() && cell.writer >= 0) after.push_back(cell.writer);
      for (const int reader : cell.readers)
        if (reader != number) after.push_back(reader);
      cell.readers.clear();
      cell.writer = number;
    }
    std::sort(after.begin(), after.end());
    after.erase(std::unique(after.begin(), after.end()), after.end());
    all.push_back(std::move(after));
  }
  return all;
}

}  // namespace jackal::collectives
