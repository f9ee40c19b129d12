#include "transports/tcp/channel.hpp"

#include <poll.h>

#include <algorithm>
#include <cstring>

#include "error.hpp"
#include "transports/tcp/platform.hpp"
#include "transports/tcp/socket.hpp"

namespace jackal::collectives {
namespace {

// Half of a small second-level cache: what has been received is still there when it is reduced.
constexpr std::size_t kBufferBytes = 256 << 10;
// Who asks for a few bytes gets so many read ahead: a header with a small message. More would only be copied
// twice.
constexpr std::size_t kReadAhead = 16 << 10;

}  // namespace

TcpChannel::TcpChannel(UniqueFd socket, std::string name)
    : socket_(std::move(socket)), name_(std::move(name)) {
  tune_data(socket_.get());
}

std::size_t TcpChannel::write(std::span<const iovec> pieces) {
  const Moved moved = send_some(socket_.get(), pieces);
  if (moved.error != 0) throw Broken(system_text(moved.error));
  return moved.bytes;
}

// From the socket itself; 0 when nothing is there. The end is told only once.
std::size_t TcpChannel::receive(void* to, std::size_t size) {
  if (!trouble_.empty()) throw Broken(trouble_);
  const Moved moved = receive_some(socket_.get(), to, size);
  if (moved.end) trouble_ = "it closed the connection";
  if (moved.error != 0) trouble_ = system_text(moved.error);
  if (!trouble_.empty()) throw Broken(trouble_);
  return moved.bytes;
}

// Into the empty buffer. False when nothing has come.
bool TcpChannel::fill(std::size_t most) {
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<std::byte[]>(kBufferBytes);
  begin_ = 0;
  end_ = 0;
  end_ = receive(buffer_.get(), std::clamp(most, kReadAhead, kBufferBytes));
  return end_ > 0;
}

std::size_t TcpChannel::read(void* to, std::size_t size) {
  auto* const bytes = static_cast<std::byte*>(to);
  if (waiting() == 0 && size < kReadAhead && !fill(size)) return 0;
  const std::size_t ready = std::min(size, waiting());
  if (ready > 0) std::memcpy(bytes, buffer_.get() + begin_, ready);
  begin_ += ready;
  if (ready == size) return size;
  // What has been taken already is not lost when the connection is: its end is told the next time.
  if (ready > 0 && !trouble_.empty()) return ready;
  try {
    return ready + receive(bytes + ready, size - ready);
  } catch (const Broken&) {
    if (ready == 0) throw;
    return ready;
  }
}

std::span<const std::byte> TcpChannel::peek(std::size_t most) {
  if (most == 0 || (waiting() == 0 && !fill(most))) return {};
  return {buffer_.get() + begin_, std::min(most, waiting())};
}

void TcpChannel::consume(std::size_t size) { begin_ += size; }

Channel::Interest TcpChannel::interest() const { return {socket_.get(), POLLIN, POLLOUT}; }

}  // namespace jackal::collectives
