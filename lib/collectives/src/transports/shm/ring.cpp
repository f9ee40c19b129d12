#include "transports/shm/ring.hpp"

#include <algorithm>
#include <cstring>

namespace jackal::collectives::shm {
namespace {

std::byte* data_of(Ring& ring) { return reinterpret_cast<std::byte*>(&ring) + sizeof(Ring); }

[[noreturn]] void refuse() { throw Broken("the counters in shared memory are out of range"); }

}  // namespace

RingChannel::RingChannel(const Room& room, std::size_t peer, std::size_t lane)
    : room_(room),
      out_(room.ring(room.me(), peer, lane)),
      in_(room.ring(peer, room.me(), lane)),
      out_data_(data_of(out_)),
      in_data_(data_of(in_)),
      size_(room.layout().ring_bytes()) {}

std::size_t RingChannel::write(std::span<const iovec> pieces) {
  const std::uint64_t used = written_ - out_.taken.load(std::memory_order_acquire);
  if (used > size_) refuse();
  std::size_t room = size_ - static_cast<std::size_t>(used);
  std::size_t taken = 0;
  for (const iovec& piece : pieces) {
    const auto* from = static_cast<const std::byte*>(piece.iov_base);
    std::size_t left = std::min(piece.iov_len, room);
    room -= left;
    while (left > 0) {
      const std::size_t at = static_cast<std::size_t>(written_) & (size_ - 1);
      const std::size_t now = std::min(left, size_ - at);
      std::memcpy(out_data_ + at, from, now);
      from += now;
      left -= now;
      written_ += now;
      taken += now;
    }
  }
  if (taken > 0) room_.publish(out_.written, written_);
  return taken;
}

std::span<const std::byte> RingChannel::peek(std::size_t most) {
  const std::uint64_t ready = in_.written.load(std::memory_order_acquire) - taken_;
  if (ready > size_) refuse();
  const std::size_t at = static_cast<std::size_t>(taken_) & (size_ - 1);
  return {in_data_ + at, std::min({most, static_cast<std::size_t>(ready), size_ - at})};
}

void RingChannel::consume(std::size_t size) {
  taken_ += size;
  room_.publish(in_.taken, taken_);
}

std::size_t RingChannel::read(void* to, std::size_t size) {
  auto* at = static_cast<std::byte*>(to);
  std::size_t got = 0;
  // Twice, as the bytes may go on at the ring's beginning.
  for (int i = 0; i < 2 && got < size; ++i) {
    const auto ready = peek(size - got);
    if (ready.empty()) break;
    std::memcpy(at + got, ready.data(), ready.size());
    got += ready.size();
    consume(ready.size());
  }
  return got;
}

}  // namespace jackal::collectives::shm
