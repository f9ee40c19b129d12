// The person's terminal, for --pty: raw while it lives, as it was afterwards.
#pragma once

#include <termios.h>

#include <optional>

#include "jackal/remote/node.hpp"

namespace jackal::launch {

class RawTerminal {
public:
  /// Does nothing when `fd` is no terminal.
  explicit RawTerminal(int fd);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

private:
  int fd_;
  std::optional<termios> before_;
};

/// nullopt when `fd` is no terminal or does not say.
std::optional<remote::TerminalSize> terminal_size(int fd);

}  // namespace jackal::launch
