// A stream of bytes each way between two members: two rings in the segment, one writer and one reader each.
#pragma once

#include <string>

#include "transports/channel.hpp"
#include "transports/shm/room.hpp"

namespace jackal::collectives::shm {

class RingChannel : public Channel {
public:
  RingChannel(const Room& room, std::size_t peer, std::size_t lane);

  std::size_t write(std::span<const iovec> pieces) override;
  std::size_t read(void* to, std::size_t size) override;
  std::span<const std::byte> peek(std::size_t most) override;
  void consume(std::size_t size) override;
  Interest interest() const override { return {}; }
  const std::string& name() const override { return name_; }

private:
  const Room& room_;
  Ring& out_;
  Ring& in_;
  std::byte* out_data_;
  const std::byte* in_data_;
  std::size_t size_;           // of each ring; a power of two
  std::uint64_t written_ = 0;  // own counters: the shared ones only tell the peer
  std::uint64_t taken_ = 0;
  const std::string name_ = "shared memory";
};

}  // namespace jackal::collectives::shm
