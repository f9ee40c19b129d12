#include "group/bell.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "error.hpp"

namespace jackal::collectives {

Bell::Bell() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw Error(Code::io, "cannot open a pipe: " + system_text(errno));
  out_.reset(ends[0]);
  in_.reset(ends[1]);
  for (const int end : ends) {
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
    ::fcntl(end, F_SETFL, O_NONBLOCK);
  }
}

// Invariant: while rung_ is set, a byte is in the pipe, or is on its way there, or silence() is about to
// clear rung_ and its caller to look for what the bell was rung for.
void Bell::ring() {
  if (rung_.exchange(true)) return;
  const char byte = 0;
  [[maybe_unused]] const ssize_t written = ::write(in_.get(), &byte, 1);  // a full pipe wakes as well
}

void Bell::silence() {
  if (!rung_.load()) return;
  std::array<char, 64> bytes;
  bool drained = false;
  while (::read(out_.get(), bytes.data(), bytes.size()) > 0) drained = true;
  // Otherwise whoever rings has not written yet; the next time finds the byte.
  if (drained) rung_.store(false);
}

}  // namespace jackal::collectives
