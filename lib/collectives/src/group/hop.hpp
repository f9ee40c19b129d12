// Frames of point-to-point messages over the channel to one linked rank. One thread at a time; never waits.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "group/envelope.hpp"
#include "transports/channel.hpp"

namespace jackal::collectives {

struct Message;

class Hop {
public:
  /// What happens to the frames that come and go.
  class Sink {
  public:
    virtual ~Sink() = default;
    /// Memory for the payload of a frame that comes from `hop`; null when it has none. Throws Error.
    virtual std::byte* begin(int hop, const Envelope& envelope) = 0;
    /// The payload is there.
    virtual void end(int hop, const Envelope& envelope) = 0;
    /// A frame with `size` bytes of `message` is with the transport, and its memory free.
    virtual void written(Message& message, std::size_t size) = 0;
    /// More bytes may be queued for `hop`, whose queue is empty.
    virtual void refill(int hop) = 0;
  };

  struct Outgoing {
    Envelope::Bytes header{};
    const std::byte* payload = nullptr;  // of `owned`, or of `message`
    std::size_t size = 0;
    std::vector<std::byte> owned = {};
    std::shared_ptr<Message> message = {};
  };

  Hop(int rank, int size, Channel* channel) : rank_(rank), size_(size), channel_(channel) {}

  bool linked() const { return channel_ != nullptr; }
  const std::string& broken() const { return broken_; }  // why; "" while it works
  bool usable() const { return linked() && broken_.empty(); }
  bool idle() const { return queue_.empty(); }
  bool sleepless() const { return channel_->interest().descriptor < 0; }
  Channel::Interest interest() const { return channel_->interest(); }
  std::size_t memory_bytes() const { return memory_; }

  void queue(Outgoing frame);
  /// Moves what goes without waiting; true when anything did. Throws what `sink` throws.
  bool push(Sink& sink);
  bool pull(Sink& sink);
  /// pull() stopped although more may be there.
  bool more() const { return more_; }
  /// Forgets every frame on its way: their memory is not touched any more.
  void drop();

private:
  bool pull_some(Sink& sink);

  int rank_;
  int size_;
  Channel* channel_;  // owned by the transport, which outlives this
  std::string broken_;
  std::deque<Outgoing> queue_;
  std::size_t written_ = 0;  // of the first in queue_, header and payload
  std::size_t memory_ = 0;   // of what queue_ owns
  Envelope::Bytes header_{};
  std::size_t header_have_ = 0;
  Envelope envelope_;
  std::byte* to_ = nullptr;
  std::size_t left_ = 0;
  bool more_ = false;
};

}  // namespace jackal::collectives
