// Several ranks write into one stream, each in pieces: Python, for one, writes a line and its end apart.
// Decides what goes on at once and what waits, so that lines arrive whole and a prompt arrives at once.
#pragma once

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>

namespace jackal::launch {

// 1. The bytes of a rank keep their order, and none is lost.
// 2. Nobody waits but for a line that another rank has begun and not ended.
// 3. What waits goes on when that line ends, when its rank ends, on release(), or when it grows too much.
class WholeLines {
public:
  using Sink = std::function<void(std::string_view bytes)>;

  explicit WholeLines(Sink sink) : sink_(std::move(sink)) {}

  void write(int rank, std::string_view bytes);
  void rank_ended(int rank);
  /// All that waits, in the middle of whoever's line.
  void release();
  bool waiting() const { return !waiting_.empty(); }

private:
  struct Waiting {
    int rank;
    std::string bytes;
  };

  void pass(int rank, std::string_view bytes);
  void pass_waiting();

  Sink sink_;
  std::optional<int> open_;  // whose line has begun and not ended
  std::list<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace jackal::launch
