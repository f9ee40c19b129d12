// launch's own streams, the same for every attempt at a job: where its output goes and what was read of its
// input. Belongs to the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "jackal/remote/loop.hpp"
#include "jackal/remote/node.hpp"
#include "launch/input.hpp"
#include "launch/output.hpp"

namespace jackal::launch {

class Streams {
public:
  Streams(remote::Loop& loop, const Output::Events& events);

  /// Bytes of a rank, as they are.
  void write(remote::Stream stream, std::string_view bytes);
  /// A line of launch's on stderr. On a terminal it does not begin in the middle of a rank's.
  void say(const std::string& line);
  bool is_full() { return out_.is_full() || err_.is_full(); }
  bool is_full(remote::Stream stream) { return output_for(stream).is_full(); }
  /// Waits until all is written, or cannot be: then the errno, else 0.
  int flush();
  /// A rank's line has begun on the terminal of stderr and not ended.
  bool line_is_open() const { return line_open_; }

  /// Remembers input for a second attempt, if it is not too much.
  void keep_input(std::string_view bytes);
  /// All of the input so far; only where replay_is_whole().
  const std::string& replay() const { return replay_; }
  bool replay_is_whole() const { return replay_whole_; }

  std::function<void()> start_input;
  std::unique_ptr<Input> input;
  bool input_ended = false;

private:
  Output& output_for(remote::Stream stream);

  const bool err_is_terminal_;
  const bool one_terminal_;  // both streams lead to it, so that one queue keeps their order
  Output out_, err_;
  bool line_open_ = false;
  std::string replay_;
  bool replay_whole_ = true;
};

}  // namespace jackal::launch
