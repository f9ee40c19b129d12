// Channels between ranks that are threads of a test: whatever is written comes out at the other end, in
// pieces of random size, so that every boundary is met somewhere.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "schedules/executor.hpp"
#include "transports/channel.hpp"

namespace ranks {

/// One direction.
class Pipe {
public:
  explicit Pipe(std::size_t room) : room_(room) {}

  std::size_t put(const std::byte* bytes, std::size_t size) {
    const std::lock_guard lock(mutex_);
    size = std::min(size, room_ - bytes_.size());
    bytes_.insert(bytes_.end(), bytes, bytes + size);
    return size;
  }
  std::size_t get(std::byte* bytes, std::size_t size) {
    const std::lock_guard lock(mutex_);
    size = std::min(size, bytes_.size());
    if (size == 0 && closed_) throw jackal::collectives::Broken("closed by the test");
    std::copy_n(bytes_.begin(), size, bytes);
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size));
    return size;
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }

private:
  std::mutex mutex_;
  std::deque<std::byte> bytes_;
  std::size_t room_;
  bool closed_ = false;
};

class MemoryChannel final : public jackal::collectives::Channel {
public:
  MemoryChannel(Pipe& out, Pipe& in, unsigned seed) : out_(out), in_(in), random_(seed) {}

  std::size_t write(std::span<const iovec> pieces) override {
    std::size_t all = 0;
    for (const iovec& piece : pieces) {
      const std::size_t most = some(piece.iov_len);
      const std::size_t put = out_.put(static_cast<const std::byte*>(piece.iov_base), most);
      all += put;
      if (put < piece.iov_len) break;
    }
    return all;
  }
  std::size_t read(void* to, std::size_t size) override {
    const std::size_t ahead = std::min(size, peeked_.size());
    if (ahead == 0) return in_.get(static_cast<std::byte*>(to), some(size));
    std::memcpy(to, peeked_.data(), ahead);
    consume(ahead);
    return ahead;
  }
  std::span<const std::byte> peek(std::size_t most) override {
    if (peeked_.empty()) {
      peeked_.resize(some(most) + random_() % 3);
      peeked_.resize(in_.get(peeked_.data(), peeked_.size()));
    }
    return {peeked_.data(), std::min(most, peeked_.size())};
  }
  void consume(std::size_t size) override {
    peeked_.erase(peeked_.begin(), peeked_.begin() + static_cast<std::ptrdiff_t>(size));
  }
  Interest interest() const override { return {}; }
  const std::string& name() const override { return name_; }

private:
  std::size_t some(std::size_t most) {
    if (most == 0) return 0;
    return random_() % 3 == 0 ? most : 1 + random_() % most;
  }

  Pipe& out_;
  Pipe& in_;
  std::mt19937 random_;
  std::vector<std::byte> peeked_;
  std::string name_ = "the test's memory";
};

/// Channels of all ranks to all others, `cables` a pair.
class MemoryWorld {
public:
  MemoryWorld(int size, std::size_t cables, std::size_t room, unsigned seed) : size_(size), cables_(cables) {
    const auto all = static_cast<std::size_t>(size * size) * cables;
    for (std::size_t i = 0; i < all; ++i) pipes_.push_back(std::make_unique<Pipe>(room));
    for (int from = 0; from < size; ++from)
      for (int to = 0; to < size; ++to)
        for (std::size_t cable = 0; cable < cables; ++cable)
          channels_.push_back(
              std::make_unique<MemoryChannel>(pipe(from, to, cable), pipe(to, from, cable), seed++));
  }

  jackal::collectives::Lanes lanes(int rank) const {
    jackal::collectives::Lanes made(static_cast<std::size_t>(size_));
    for (int other = 0; other < size_; ++other)
      for (std::size_t cable = 0; other != rank && cable < cables_; ++cable)
        made[static_cast<std::size_t>(other)].push_back(channels_[index(rank, other, cable)].get());
    return made;
  }
  Pipe& pipe(int from, int to, std::size_t cable) { return *pipes_[index(from, to, cable)]; }

private:
  std::size_t index(int from, int to, std::size_t cable) const {
    return static_cast<std::size_t>(from * size_ + to) * cables_ + cable;
  }

  int size_;
  std::size_t cables_;
  std::vector<std::unique_ptr<Pipe>> pipes_;
  std::vector<std::unique_ptr<MemoryChannel>> channels_;
};

}  // namespace ranks
