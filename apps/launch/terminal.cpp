#include "launch/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace jackal::launch {

RawTerminal::RawTerminal(int fd) : fd_(fd) {
  termios now{};
  if (::isatty(fd) == 0 || ::tcgetattr(fd, &now) != 0) return;
  before_ = now;
  ::cfmakeraw(&now);
  ::tcsetattr(fd, TCSADRAIN, &now);
}

RawTerminal::~RawTerminal() {
  if (before_) ::tcsetattr(fd_, TCSADRAIN, &*before_);
}

std::optional<remote::TerminalSize> terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return std::nullopt;
  return remote::TerminalSize{size.ws_col, size.ws_row};
}

}  // namespace jackal::launch
