// What every rank notes while it works, so that results can be compared across ranks without the library
// under test, and a rank that hangs or dies has said at what.
#pragma once

#include <string>
#include <vector>

#include "collectives/matrix/play.hpp"

namespace matrix {

class Diary {
public:
  /// Writes each line to `descriptor` at once; without one it keeps them.
  explicit Diary(int descriptor = -1) : descriptor_(descriptor) {}
  void begin(const std::string& what);
  /// A digest of 0 is not compared.
  void done(const Verdict& verdict);
  void failed(const std::string& why);
  const std::string& text() const { return text_; }

private:
  void add(const std::string& line);
  int descriptor_;
  std::string text_;
};

/// What is wrong, from the diaries of all ranks in rank order; `ends` says how each rank ended, "" for well.
/// At most a few lines: the first problems are the ones that matter.
std::vector<std::string> problems(const std::vector<std::string>& diaries,
                                  const std::vector<std::string>& ends);

}  // namespace matrix
