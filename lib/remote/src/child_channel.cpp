#include "child_channel.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "descriptors.hpp"

namespace jackal::remote {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

struct Terminal {
  UniqueFd ours, theirs;
};

Result<Terminal> open_terminal(TerminalSize size) {
  Terminal terminal;
  terminal.ours = open_terminal_controller();
  const bool ready =
      terminal.ours && ::grantpt(terminal.ours.get()) == 0 && ::unlockpt(terminal.ours.get()) == 0;
  if (ready) terminal.theirs.reset(::open(::ptsname(terminal.ours.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.theirs) return fail(shortage("open a pseudo-terminal", errno));
  winsize dimensions{};
  dimensions.ws_col = static_cast<unsigned short>(size.columns);
  dimensions.ws_row = static_cast<unsigned short>(size.rows);
  ::ioctl(terminal.ours.get(), TIOCSWINSZ, &dimensions);
  return terminal;
}

}  // namespace

ChildChannel::ChildChannel(Loop& loop, ChannelEvents& events, Prepare prepare)
    : loop_(loop), events_(events), prepare_(std::move(prepare)) {}

void ChildChannel::exec(const std::vector<std::string>& words, const std::optional<TerminalSize>& terminal) {
  const auto started = start(words, terminal);
  if (!started) report_start_failure(started.error());
}

Result<void> ChildChannel::start(const std::vector<std::string>& words,
                                 const std::optional<TerminalSize>& terminal) {
  SpawnRequest request = prepare_(words, terminal.has_value());
  UniqueFd child_in, child_out, child_err;
  if (terminal) {
    auto opened = open_terminal(*terminal);
    if (!opened) return fail(opened.error());
    child_in = std::move(opened->theirs);
    request.descriptors = {child_in.get(), child_in.get(), child_in.get()};
    request.controlling_terminal = true;
    terminal_ = std::move(opened->ours);
    out_.fd.reset(::fcntl(terminal_.get(), F_DUPFD_CLOEXEC, 3));
    input_.reset(::fcntl(terminal_.get(), F_DUPFD_CLOEXEC, 3));
  } else {
    auto in = make_pipe();
    auto out = make_pipe();
    auto err = make_pipe();
    for (const auto* made : {&in, &out, &err}) {
      if (!*made) return fail(made->error());
    }
    child_in = std::move(in->read);
    child_out = std::move(out->write);
    child_err = std::move(err->write);
    request.descriptors = {child_in.get(), child_out.get(), child_err.get()};
    input_ = std::move(in->write);
    out_.fd = std::move(out->read);
    err_.fd = std::move(err->read);
    set_nonblocking(err_.fd.get());
  }
  set_nonblocking(input_.get());
  set_nonblocking(out_.fd.get());
  auto child = spawn(request);
  if (!child) return fail(child.error());
  child_ = *child;
  child_watch_ = watch_child(loop_, child_, [this](ExitStatus status) {
    ended_ = true;
    events_.on_exit(status);
  });
  watch_output(out_, Stream::out);
  if (err_.fd) watch_output(err_, Stream::err);
  input_watch_ = loop_.watch(input_.get(), 0, [this](short) { flush(); });
  flush();
  return {};
}

void ChildChannel::report_start_failure(const Error& error) {
  input_.reset();
  out_.fd.reset();
  err_.fd.reset();
  // Later, since no callback may run inside a call of the listener's.
  if (error.code == ErrorCode::unreachable) {
    soon_ = loop_.after(Clock::duration::zero(), [this, error] { events_.on_start_failed(error); });
    return;
  }
  const int code = error.code == ErrorCode::not_found ? 127 : 126;  // as a shell says it
  soon_ = loop_.after(Clock::duration::zero(), [this, code, text = "launch: " + error.text() + "\n"] {
    events_.on_output(Stream::err, text);
    events_.on_exit({false, code});
    events_.on_streams_ended();
  });
}

void ChildChannel::watch_output(Output& output, Stream stream) {
  output.watch = loop_.watch(output.fd.get(), reading_ ? POLLIN : 0,
                             [this, &output, stream](short) { read(output, stream); });
}

void ChildChannel::read(Output& output, Stream stream) {
  std::array<char, kReadBytes> bytes;
  const ssize_t got = ::read(output.fd.get(), bytes.data(), bytes.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got > 0) {
    events_.on_output(stream, {bytes.data(), static_cast<std::size_t>(got)});
    return;
  }
  // End of file; a pseudo-terminal whose last user has gone says EIO.
  output.watch.reset();
  output.fd.reset();
  if (out_.fd || err_.fd || streams_ended_) return;
  streams_ended_ = true;
  events_.on_streams_ended();
}

void ChildChannel::write(std::string_view bytes) {
  queue_.append(bytes);
  if (input_watch_) flush();
}

void ChildChannel::close_input() {
  close_when_drained_ = true;
  if (input_watch_) flush();
}

void ChildChannel::flush() {
  const bool had_bytes = !queue_.empty();
  std::size_t sent = 0;
  while (input_ && sent < queue_.size()) {
    const ssize_t written = ::write(input_.get(), queue_.data() + sent, queue_.size() - sent);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) break;
    if (written < 0) {
      // Nobody reads it any more: what is queued is dropped, as a pipe would.
      input_watch_.set_events(0);
      input_.reset();
      break;
    }
    sent += static_cast<std::size_t>(written);
  }
  queue_.erase(0, input_ ? sent : queue_.size());
  if (!queue_.empty()) {
    input_watch_.set_events(POLLOUT);
    return;
  }
  input_watch_.set_events(0);
  if (close_when_drained_ && input_) {
    // A terminal has no half to close: its end-of-file is the character ^D.
    if (terminal_) {
      [[maybe_unused]] const ssize_t ignored = ::write(input_.get(), "\x04", 1);
    }
    input_.reset();
  }
  if (had_bytes) drained();
}

void ChildChannel::drained() {
  soon_ = loop_.after(Clock::duration::zero(), [this] { events_.on_input_drained(); });
}

void ChildChannel::set_reading(bool reading) {
  reading_ = reading;
  for (Output* output : {&out_, &err_}) output->watch.set_events(reading ? POLLIN : 0);
}

void ChildChannel::resize(TerminalSize size) {
  if (!terminal_) return;
  winsize dimensions{};
  dimensions.ws_col = static_cast<unsigned short>(size.columns);
  dimensions.ws_row = static_cast<unsigned short>(size.rows);
  ::ioctl(terminal_.get(), TIOCSWINSZ, &dimensions);
}

}  // namespace jackal::remote
