// One ordered stream of bytes each way between this rank and one peer, over whatever transport: the seam
// between transports and everything above. One thread at a time. Nothing here waits.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>

namespace jackal::collectives {

/// The channel cannot carry anything any more; what() says why ("Connection reset by peer"). The owner turns
/// it into an Error that names rank, host and link (Watch::lost).
class Broken : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

class Channel {
public:
  virtual ~Channel() = default;

  /// Takes as many of the bytes as go now, in order; their number, possibly 0. The memory is free again on
  /// return. Throws Broken.
  virtual std::size_t write(std::span<const iovec> pieces) = 0;

  /// Puts what has come into `to`, `size` bytes at most; their number, possibly 0. Throws Broken, but only
  /// when all that came before the end has been read.
  virtual std::size_t read(void* to, std::size_t size) = 0;

  /// The same without a copy: bytes that have come, contiguous, `most` at most, possibly none. Valid until
  /// the next call; consume() takes the first `size` of them away. For reductions.
  virtual std::span<const std::byte> peek(std::size_t most) = 0;
  virtual void consume(std::size_t size) = 0;

  /// What to poll() for while it waits; -1: nothing to poll, look again soon.
  struct Interest {
    int descriptor = -1;
    short read_events = 0;   // when bytes are awaited
    short write_events = 0;  // when write() took less than all
  };
  virtual Interest interest() const = 0;

  /// For messages: "10.0.0.2:4711", "shared memory", "rdma_en3".
  virtual const std::string& name() const = 0;
};

}  // namespace jackal::collectives
