// A reliable stream of bytes in messages over a path that loses some. Pure: it is told what has come and what
// time it is, and says through Rail what is to go. Not thread-safe.
//
// Invariants:
//   1. A receive is posted before its message may go. Data: of each class, at most `window` messages go
//   beyond
//      the last one whose receive the other side has freed (`consumed`). State and probe messages: at most
//      `states` beyond those that the other side has seen. The other side posts that many receives, and some
//      for repeats; only a probe after long silence goes beyond it.
//   2. A message is sent again only when it is lost for sure (of the same queue pair, which keeps its order,
//   a later
//      one has arrived), or when the other side, asked after a silence, still lacks it.
//   3. What is read is every byte once, in order, whatever was lost, repeated or misplaced.
//   4. Send memory is free again when its message has been consumed and no posted send uses it.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "error.hpp"
#include "transports/verbs/message.hpp"

namespace jackal::collectives {

struct StreamSizes {
  struct Class {
    std::size_t message_bytes = 0;  // the whole message, header included; 0: this class is not used
    std::size_t least_bytes = 0;    // shorter ones are padded to this: as many frames as the longest
    int window = 0;                 // data messages under way
  };
  std::array<Class, kMessageClasses> classes;
  int states = 8;         // state and probe messages under way
  bool checksum = false;  // CRC-32C in every message

  /// Receives that each side has posted, and memory for as many sends.
  int receives(MessageClass c) const;
  int sends(MessageClass c) const;
};

/// What carries the messages. Slots are numbered from 0 in each class and direction.
class Rail {
public:
  virtual ~Rail() = default;
  virtual std::byte* send_memory(MessageClass c, int slot) = 0;
  /// Posts the first `bytes` of a slot. sent() is called later, once for each.
  virtual void post(MessageClass c, int slot, std::size_t bytes) = 0;
  /// The receive slot, given by arrived(), may be used again.
  virtual void free_receive(MessageClass c, int slot) = 0;
};

/// What all streams over the same queue pairs know together: their messages keep one order.
struct Passage {
  std::array<std::uint32_t, kMessageClasses> transmissions{};  // posted here
  std::array<std::uint32_t, kMessageClasses> seen{};           // one past the last that has come
  std::uint32_t losses = 0;  // how often something was missing before what came
};

class ReliableStream {
public:
  /// `tag_out`, `tag_in`: what this side's and the other side's messages carry. `passage` and `rail` outlive
  /// this.
  ReliableStream(const StreamSizes& sizes, std::uint32_t tag_out, std::uint32_t tag_in, Passage& passage,
                 Rail& rail);

  /// As Channel's.
  std::size_t write(std::span<const iovec> pieces);
  std::size_t read(void* to, std::size_t size);
  std::span<const std::byte> peek(std::size_t most) const;
  void consume(std::size_t size);

  /// Frees the receives of what has arrived and is not read. The stream is of no more use.
  void drop_unread();

  /// A message has arrived in a receive slot; its memory stays in place until free_receive().
  void arrived(MessageClass c, int slot, std::span<const std::byte> message);
  /// A posted send is complete.
  void sent(MessageClass c, int slot);
  /// Sends what time asks for: states that are due, probes, repeats. Call it often while anything is awaited,
  /// and every few ms while not settled() or the other side may not be.
  void tick(Clock::time_point now);

  /// What time it is for what follows; part of tick().
  void at(Clock::time_point now) { now_ = now; }

  /// The last write() took less than all.
  bool blocked() const { return blocked_; }
  /// Everything written is known to have arrived.
  bool settled() const;
  /// The other side does not know yet what has arrived here: it would wait for that, were this side gone.
  bool owes_news() const { return told_next_ != next_in_ || told_consumed_ != consumed_; }
  std::uint64_t repairs() const { return repairs_; }  // messages sent again
  std::uint64_t strays() const { return strays_; }    // messages that were not of this stream, or damaged
  std::uint32_t tag_in() const { return tag_in_; }

private:
  struct Outgoing {
    std::uint32_t sequence;
    MessageClass c;
    int slot;
    std::size_t payload;
    std::uint32_t last_transmission;
    Clock::time_point posted;
    int posts;          // how often it was sent
    int posts_pending;  // posted sends whose completion has not come
    bool arrived;
  };
  struct Incoming {
    std::uint32_t sequence;
    MessageClass c;
    int slot;
    std::span<const std::byte> payload;
  };

  MessageClass class_for(std::size_t bytes) const;
  const std::optional<Incoming>& held(std::uint32_t sequence) const { return held_[sequence % kHeldSlots]; }
  void transmit(Outgoing& message);
  bool send_state(MessageType type);
  std::size_t finish(MessageHeader& header, MessageClass c, std::byte* at);
  bool intact(const MessageHeader& header, std::span<const std::byte> message) const;
  void take_news(const MessageHeader& header);
  void accept(MessageClass c, int slot, std::uint32_t sequence, std::span<const std::byte> payload);
  void learn(Clock::duration took);
  void send_again(bool after_silence);
  void drop_finished();
  std::size_t capacity(MessageClass c) const;

  StreamSizes sizes_;
  std::uint32_t tag_out_;
  std::uint32_t tag_in_;
  Passage& passage_;
  Rail& rail_;

  // Outgoing.
  std::deque<Outgoing> outgoing_;  // by sequence: everything that is not yet consumed or still posted
  std::array<std::vector<int>, kMessageClasses> free_slots_;
  std::vector<int> free_state_slots_;  // beyond the data slots of class small
  std::uint32_t next_sequence_ = 0;
  std::uint32_t peer_consumed_ = 0;
  std::array<std::uint32_t, kMessageClasses>
      peer_seen_{};  // the other side's `seen`, as this stream last heard
  struct State {
    std::uint32_t transmission;
    Clock::time_point posted;
  };
  std::deque<State> states_;  // state and probe messages that may be under way

  // Incoming.
  static constexpr std::uint32_t kHeldSlots = 64;
  std::array<std::optional<Incoming>, kHeldSlots> held_;  // by sequence % kHeldSlots, not yet consumed
  std::uint32_t next_in_ = 0;                             // every message before has arrived
  std::uint32_t last_in_ = 0;                             // one past the last that has
  std::uint32_t consumed_ = 0;                            // every message before has been consumed
  std::size_t consumed_bytes_ = 0;                        // of message `consumed_`
  std::uint32_t losses_told_ = 0;
  std::uint32_t told_next_ = 0;  // what the other side was last told
  std::uint32_t told_consumed_ = 0;
  std::array<int, kMessageClasses> untold_{};  // consumed of each class since

  // Time.
  Clock::time_point now_{};
  Clock::time_point heard_{};  // when news last came, or the wait for it began
  Clock::duration mean_{};     // from sending a message to the news of its arrival
  Clock::duration deviation_{};
  Clock::duration usual_;     // hardly ever longer than this
  Clock::duration patience_;  // how long until the next probe
  bool blocked_ = false;      // write() waits for the other side to consume
  bool owes_answer_ = false;  // a probe has come
  Clock::time_point probed_{};
  Clock::time_point untold_since_{};
  std::uint64_t repairs_ = 0;
  std::uint64_t strays_ = 0;
};

}  // namespace jackal::collectives
