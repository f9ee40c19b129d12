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

void Bell::ring() {
  if (rung_.load()) return;
  const char byte = 0;
  [[maybe_unused]] const ssize_t written = ::write(in_.get(), &byte, 1);  // a full pipe wakes as well
  rung_.store(true);
}

void Bell::silence() {
  if (!rung_.exchange(false)) return;
  std::array<char, 64> bytes;
  while (::read(out_.get(), bytes.data(), bytes.size()) > 0) continue;
}

}  // namespace jackal::collectives
