// Point-to-point messages of one rank: matches sends with receives, by rank, tag and order, and moves their
// bytes. Long messages wait for their receiver, short ones go at once as far as the receiver has promised
// room, so what nobody receives costs bounded memory. Passes on what travels between ranks without a link.
// One thread at a time; never waits.
#pragma once

#include <poll.h>

#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "control/mesh.hpp"
#include "group/hop.hpp"
#include "group/pending.hpp"

namespace jackal::collectives {

/// One send or receive. Its memory is used until `done`, or until Messages::fail().
struct Message {
  bool send = false;
  int peer = -1;
  int tag = 0;
  Dtype dtype = Dtype::uint8;
  std::size_t count = 0;
  std::byte* memory = nullptr;  // not written to by a send
  std::chrono::milliseconds timeout{};
  std::shared_ptr<detail::Pending> pending =
      {};  // of an asynchronous one, but for the first half of sendrecv

  // Of Messages.
  bool done = false;
  std::size_t bytes = 0;
  Deadline deadline{};
  std::uint64_t id = 0;
  std::size_t queued = 0;    // bytes of a send that are with its hop
  std::size_t finished = 0;  // bytes that are gone, or have come

  std::string text() const;  // "send of 10 float32 to rank 1 with tag 3"
};

class Messages final : private Hop::Sink {
public:
  /// `channels` and `next`, by rank: the channel to it, null where there is no link; the rank that leads to
  /// it, -1 where none does. `mesh` is for names.
  Messages(const Mesh& mesh, const std::vector<Channel*>& channels, std::vector<int> next);

  /// Begins one. Throws Error mismatch when it meets what does not match.
  void post(const std::shared_ptr<Message>& message);

  /// Moves what goes; true when anything did. Throws Error.
  bool progress();

  /// Some of this rank's own are not done.
  bool waiting() const { return !open_.empty(); }
  /// Frames of this rank, or that it passes on, wait for their transport.
  bool sending() const;
  const std::list<std::shared_ptr<Message>>& open() const { return open_; }

  /// One that cannot be done any more, because the link that it needs is broken.
  struct Stranded {
    int hop = -1;  // -1: there is none
    std::string why;
    std::shared_ptr<Message> message;
  };
  Stranded stranded() const;

  /// An open one has not met its counterpart.
  bool unmatched(const Message& message) const;
  /// Message `id` of rank `source` has come, and nobody here has asked for it.
  bool holds(int source, std::uint64_t id) const;

  /// Finishes all with `error` and lets go of their memory.
  void fail(const Error& error);

  /// To poll; those without a descriptor need a look now and then when sleepless() is true.
  void add_descriptors(std::vector<pollfd>& entries) const;
  bool sleepless() const { return sleepless_; }

  /// How many messages with `peer` this rank has sent (begun) and seen coming.
  struct Tally {
    std::uint64_t sent = 0;
    std::uint64_t come = 0;
    bool operator==(const Tally&) const = default;
  };
  Tally tally(int peer) const { return partners_[static_cast<std::size_t>(peer)].tally; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }
  std::uint64_t bytes_received() const { return bytes_received_; }
  std::uint64_t finished() const { return finished_; }
  std::size_t memory_bytes() const;

private:
  // A message that has come, or is announced, and that nobody has asked for yet.
  struct Arrival {
    Envelope envelope;
    std::vector<std::byte> payload;
    bool complete = false;
    std::shared_ptr<Message> receiver;  // asked for it before it was complete
    std::shared_ptr<Message> sender;    // this rank's own, to itself
  };
  struct Partner {
    std::list<std::shared_ptr<Message>> receives;  // posted, in order
    std::list<std::shared_ptr<Arrival>> arrivals;  // in order
    std::size_t eager_used = 0;                    // of the room that the partner has promised
    std::size_t window_used = 0;                   // bytes on their way through others
    std::size_t eager_owed = 0;                    // taken, but not yet credited to the partner
    std::size_t window_owed = 0;
    Tally tally;
  };
  // Where the payload of the frame that is coming from a hop goes.
  struct Incoming {
    std::shared_ptr<Message> message;
    std::shared_ptr<Arrival> arrival;
    std::vector<std::byte> relayed;
  };

  std::byte* begin(int hop, const Envelope& envelope) override;
  void end(int hop, const Envelope& envelope) override;
  void written(Message& message, std::size_t size) override;
  void refill(int hop) override;

  Partner& partner(int rank) { return partners_[static_cast<std::size_t>(rank)]; }
  Hop& hop(int rank) { return hops_[static_cast<std::size_t>(rank)]; }
  Hop& way(int destination);
  bool direct(int rank) const { return next_[static_cast<std::size_t>(rank)] == rank; }
  void post_send(const std::shared_ptr<Message>& message);
  void post_receive(const std::shared_ptr<Message>& message);
  void send_to_self(const std::shared_ptr<Message>& message);
  void take(const std::shared_ptr<Message>& message, const std::shared_ptr<Arrival>& arrival);
  std::shared_ptr<Message> receiver_of(const Envelope& envelope);
  void agree(const Message& receive, const Envelope& envelope) const;
  void arrived_eager(Incoming& incoming, const Envelope& envelope);
  void announced(const Envelope& envelope);
  void clear(const std::shared_ptr<Message>& receive, const Envelope& envelope);
  void credit_eager(int source, std::size_t bytes);
  void credit_window(int source, std::size_t bytes);
  void reply(Envelope::Kind kind, int destination, std::uint64_t id, std::uint64_t offset);
  void finish(Message& message);
  [[noreturn]] void garbled(int hop) const;

  const Mesh& mesh_;
  int rank_;
  std::vector<Hop> hops_;
  std::vector<int> next_;
  std::vector<Partner> partners_;
  std::vector<Incoming> incoming_;  // by hop
  std::vector<pollfd> polled_;
  std::vector<int> polled_ranks_;
  bool sleepless_ = false;
  std::list<std::shared_ptr<Message>> open_;
  std::list<std::shared_ptr<Message>> cleared_;                                  // sends that may go on
  std::map<std::uint64_t, std::shared_ptr<Message>> held_;                       // sends that wait for that
  std::map<std::pair<int, std::uint64_t>, std::shared_ptr<Message>> receiving_;  // by source and id
  std::uint64_t last_id_ = 0;
  // Read from other threads.
  std::atomic<std::uint64_t> bytes_sent_ = 0;
  std::atomic<std::uint64_t> bytes_received_ = 0;
  std::atomic<std::uint64_t> finished_ = 0;
};

}  // namespace jackal::collectives
