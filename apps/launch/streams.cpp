#include "launch/streams.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace jackal::launch {
namespace {

constexpr std::size_t kReplayBytes = 1024 * 1024;  // of input kept for a second start on another port

bool same_terminal(int one, int other) {
  struct stat first {
  }, second{};
  return ::isatty(one) == 1 && ::isatty(other) == 1 && ::fstat(one, &first) == 0 &&
         ::fstat(other, &second) == 0 && first.st_rdev == second.st_rdev;
}

}  // namespace

Streams::Streams(remote::Loop& loop, const Output::Events& events)
    : err_is_terminal_(::isatty(STDERR_FILENO) == 1),
      one_terminal_(same_terminal(STDOUT_FILENO, STDERR_FILENO)),
      out_(loop, STDOUT_FILENO, events),
      err_(loop, STDERR_FILENO, events) {}

Output& Streams::output_for(remote::Stream stream) {
  return stream == remote::Stream::out || one_terminal_ ? out_ : err_;
}

void Streams::write(remote::Stream stream, std::string_view bytes) {
  if (bytes.empty()) return;
  output_for(stream).write(bytes);
  const bool seen_with_err = stream == remote::Stream::err ? err_is_terminal_ : one_terminal_;
  if (seen_with_err) line_open_ = bytes.back() != '\n';
}

void Streams::say(const std::string& line) {
  write(remote::Stream::err, (line_open_ ? "\n" : "") + line + "\n");
}

int Streams::flush() {
  const int out_failed = out_.flush(), err_failed = err_.flush();
  return out_failed != 0 ? out_failed : err_failed;
}

void Streams::keep_input(std::string_view bytes) {
  replay_whole_ = replay_whole_ && replay_.size() + bytes.size() <= kReplayBytes;
  if (replay_whole_) replay_.append(bytes);
}

}  // namespace jackal::launch
