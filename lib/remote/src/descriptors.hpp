// Descriptors that are close-on-exec from their first moment: another thread may fork at any time, and what
// a child of it inherits, it holds for good. -1 in a UniqueFd: errno says why.
#pragma once

#include "jackal/base/unique_fd.hpp"

namespace jackal::remote {

struct DescriptorPair {
  UniqueFd first, second;
  explicit operator bool() const { return static_cast<bool>(first); }
};

DescriptorPair open_pipe();         // first is for reading
DescriptorPair open_socket_pair();  // a stream
UniqueFd open_socket(int family, int type, int protocol);
/// Our side of a new pseudo-terminal.
UniqueFd open_terminal_controller();
/// For reading and writing; gone with its last descriptor.
UniqueFd open_unnamed_file();

}  // namespace jackal::remote
