// Channels between threads of one process, as slow as wanted.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include "transports/channel.hpp"

namespace paced {

/// One way: a bounded queue of bytes that lets through at most `bytes_per_ms` (0: no limit).
class Pipe {
public:
  explicit Pipe(std::int64_t bytes_per_ms) : bytes_per_ms_(bytes_per_ms) {}

  std::size_t push(const std::byte* bytes, std::size_t size) {
    const std::lock_guard lock(mutex_);
    size = std::min({size, kRoom - bytes_.size(), allowed()});
    if (bytes_per_ms_ > 0) allowed_ -= size;
    bytes_.insert(bytes_.end(), bytes, bytes + size);
    return size;
  }
  std::size_t pop(std::byte* to, std::size_t size) {
    const std::lock_guard lock(mutex_);
    size = std::min(size, bytes_.size());
    std::copy_n(bytes_.begin(), size, to);
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size));
    return size;
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  bool over() {
    const std::lock_guard lock(mutex_);
    return closed_ && bytes_.empty();
  }

private:
  static constexpr std::size_t kRoom = 256 << 10;

  // What may pass grows with time, to a millisecond's worth.
  std::size_t allowed() {
    if (bytes_per_ms_ == 0) return kRoom;
    const auto now = std::chrono::steady_clock::now();
    const auto age = std::chrono::duration_cast<std::chrono::microseconds>(now - since_);
    const std::size_t most = static_cast<std::size_t>(bytes_per_ms_);
    allowed_ = std::min(
        most, allowed_ + most * static_cast<std::size_t>(std::min<std::int64_t>(1000, age.count())) / 1000);
    since_ += age;
    return allowed_;
  }

  const std::int64_t bytes_per_ms_;
  std::mutex mutex_;
  std::deque<std::byte> bytes_;
  std::size_t allowed_ = 0;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  bool closed_ = false;
};

class PacedChannel : public jackal::collectives::Channel {
public:
  PacedChannel(std::shared_ptr<Pipe> out, std::shared_ptr<Pipe> in)
      : out_(std::move(out)), in_(std::move(in)) {}
  ~PacedChannel() override { out_->close(); }

  std::size_t write(std::span<const iovec> pieces) override {
    std::size_t written = 0;
    for (const iovec& piece : pieces) {
      const std::size_t now = out_->push(static_cast<const std::byte*>(piece.iov_base), piece.iov_len);
      written += now;
      if (now < piece.iov_len) break;
    }
    return written;
  }
  std::size_t read(void* to, std::size_t size) override {
    if (in_->over()) throw jackal::collectives::Broken("closed by the test");
    return in_->pop(static_cast<std::byte*>(to), size);
  }
  // The measurement only reads and writes.
  std::span<const std::byte> peek(std::size_t) override { throw std::logic_error("no peeking here"); }
  void consume(std::size_t) override { throw std::logic_error("no peeking here"); }
  Interest interest() const override { return {}; }
  const std::string& name() const override { return name_; }

private:
  std::shared_ptr<Pipe> out_;
  std::shared_ptr<Pipe> in_;
  std::string name_ = "memory";
};

}  // namespace paced
