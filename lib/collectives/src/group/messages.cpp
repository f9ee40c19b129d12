#include "group/messages.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/reduce.hpp"

namespace jackal::collectives {
namespace {

// What a rank keeps for each other one of messages that it has not asked for.
constexpr std::size_t kEagerRoom = 1 << 20;
constexpr std::size_t kEagerRoomRelayed = 256 << 10;
// A message's own cost, so that empty ones are bounded, too.
constexpr std::size_t kArrivalCost = 256;
// Bytes between two ranks without a link that may be with the ranks between them.
constexpr std::size_t kWindow = 256 << 10;
constexpr std::size_t kRelayedFrame = 64 << 10;

std::size_t cost_of(const Envelope& envelope) { return envelope.payload + kArrivalCost; }

std::string elements(std::size_t count, Dtype dtype) {
  return std::to_string(count) + " " + dtype_name(dtype);
}

}  // namespace

std::string Message::text() const {
  return (send ? "send of " : "recv of ") + elements(count, dtype) + (send ? " to rank " : " from rank ") +
         std::to_string(peer) + " with tag " + std::to_string(tag);
}

Messages::Messages(const Mesh& mesh, const std::vector<Channel*>& channels, std::vector<int> next)
    : mesh_(mesh),
      rank_(mesh.rank()),
      next_(std::move(next)),
      partners_(channels.size()),
      incoming_(channels.size()) {
  for (std::size_t rank = 0; rank < channels.size(); ++rank) {
    hops_.emplace_back(static_cast<int>(rank), mesh.size(), channels[rank]);
    if (channels[rank] == nullptr) continue;
    if (hops_.back().sleepless()) {
      sleepless_ = true;
    } else {
      polled_.push_back({hops_.back().interest().descriptor, POLLIN, 0});
      polled_ranks_.push_back(static_cast<int>(rank));
    }
  }
}

Hop& Messages::way(int destination) {
  const int next = next_[static_cast<std::size_t>(destination)];
  if (next < 0)
    throw Error(Code::link_down, "no link leads from " + mesh_.name(rank_) + " to " + mesh_.name(destination),
                destination, mesh_.peer(destination).host);
  return hop(next);
}

void Messages::post(const std::shared_ptr<Message>& message) {
  message->bytes = message->count * dtype_size(message->dtype);
  message->deadline = Clock::now() + message->timeout;
  message->id = ++last_id_;
  open_.push_back(message);
  if (!message->send) {
    post_receive(message);
  } else if (message->peer == rank_) {
    send_to_self(message);
  } else {
    post_send(message);
  }
}

void Messages::post_send(const std::shared_ptr<Message>& message) {
  Partner& to = partner(message->peer);
  Hop& by = way(message->peer);
  ++to.tally.sent;
  Envelope envelope;
  envelope.kind = Envelope::Kind::eager;
  envelope.dtype = message->dtype;
  envelope.source = static_cast<std::uint16_t>(rank_);
  envelope.destination = static_cast<std::uint16_t>(message->peer);
  envelope.tag = static_cast<std::uint32_t>(message->tag);
  envelope.count = message->count;
  envelope.id = message->id;
  const std::size_t room = direct(message->peer) ? kEagerRoom : kEagerRoomRelayed;
  if (message->bytes <= kEagerBytes && to.eager_used + message->bytes + kArrivalCost <= room) {
    envelope.payload = static_cast<std::uint32_t>(message->bytes);
    to.eager_used += cost_of(envelope);
    message->queued = message->bytes;
    by.queue({envelope.encode(), message->memory, message->bytes, {}, message});
  } else {
    envelope.kind = Envelope::Kind::request;
    held_.emplace(message->id, message);
    by.queue({envelope.encode(), nullptr, 0, {}, {}});
  }
  by.push(*this);
}

void Messages::send_to_self(const std::shared_ptr<Message>& message) {
  Envelope envelope;
  envelope.dtype = message->dtype;
  envelope.source = envelope.destination = static_cast<std::uint16_t>(rank_);
  envelope.tag = static_cast<std::uint32_t>(message->tag);
  envelope.count = message->count;
  auto arrival = std::make_shared<Arrival>();
  arrival->envelope = envelope;
  arrival->sender = message;
  if (const auto receive = receiver_of(envelope)) {
    take(receive, arrival);
  } else {
    partner(rank_).arrivals.push_back(std::move(arrival));
  }
}

void Messages::post_receive(const std::shared_ptr<Message>& message) {
  Partner& from = partner(message->peer);
  if (message->peer != rank_) way(message->peer);
  const auto found = std::find_if(from.arrivals.begin(), from.arrivals.end(), [&](const auto& arrival) {
    return arrival->envelope.tag == static_cast<std::uint32_t>(message->tag);
  });
  if (found == from.arrivals.end()) {
    from.receives.push_back(message);
    return;
  }
  const std::shared_ptr<Arrival> arrival = *found;
  from.arrivals.erase(found);
  take(message, arrival);
}

// `arrival` is off its list.
void Messages::take(const std::shared_ptr<Message>& message, const std::shared_ptr<Arrival>& arrival) {
  agree(*message, arrival->envelope);
  if (arrival->sender) {
    if (message->bytes > 0) std::memmove(message->memory, arrival->sender->memory, message->bytes);
    finish(*arrival->sender);
    finish(*message);
  } else if (arrival->envelope.kind == Envelope::Kind::request) {
    clear(message, arrival->envelope);
  } else if (!arrival->complete) {
    arrival->receiver = message;
  } else {
    if (message->bytes > 0) std::memcpy(message->memory, arrival->payload.data(), message->bytes);
    credit_eager(message->peer, cost_of(arrival->envelope));
    finish(*message);
  }
}

void Messages::clear(const std::shared_ptr<Message>& receive, const Envelope& envelope) {
  if (receive->bytes == 0) {
    // Beyond the room for eager ones only; there is nothing to wait for.
    reply(Envelope::Kind::clear, envelope.source, envelope.id, 0);
    finish(*receive);
    return;
  }
  receiving_.emplace(std::pair{int{envelope.source}, envelope.id}, receive);
  reply(Envelope::Kind::clear, envelope.source, envelope.id, 0);
}

// The first receive that waits for such a message, off its list; null when there is none.
std::shared_ptr<Message> Messages::receiver_of(const Envelope& envelope) {
  std::list<std::shared_ptr<Message>>& receives = partner(envelope.source).receives;
  const auto found = std::find_if(receives.begin(), receives.end(), [&](const auto& receive) {
    return static_cast<std::uint32_t>(receive->tag) == envelope.tag;
  });
  if (found == receives.end()) return nullptr;
  std::shared_ptr<Message> receive = *found;
  receives.erase(found);
  return receive;
}

void Messages::agree(const Message& receive, const Envelope& envelope) const {
  if (envelope.dtype == receive.dtype && envelope.count == receive.count) return;
  const std::string operation = receive.text();
  throw Error(Code::mismatch,
              "the ranks' calls differ: " + mesh_.name(rank_) + " called " + operation + ", " +
                  mesh_.name(envelope.source) + " sent " +
                  elements(static_cast<std::size_t>(envelope.count), envelope.dtype) + " to it with that tag",
              envelope.source, mesh_.peer(envelope.source).host, "", operation);
}

bool Messages::progress() {
  bool moved = false;
  // One call for all, instead of one read for each that has nothing.
  if (polled_.size() > 1) ::poll(polled_.data(), static_cast<nfds_t>(polled_.size()), 0);
  for (std::size_t i = 0; i < polled_.size(); ++i) {
    Hop& from = hop(polled_ranks_[i]);
    if (!from.usable()) {
      polled_[i].fd = -1;
    } else if (polled_.size() == 1 || polled_[i].revents != 0 || from.more()) {
      moved = from.pull(*this) || moved;
    }
  }
  for (Hop& each : hops_) {
    if (each.usable() && each.sleepless()) moved = each.pull(*this) || moved;
    if (each.usable()) moved = each.push(*this) || moved;
  }
  return moved;
}

std::byte* Messages::begin(int from, const Envelope& envelope) {
  Incoming& incoming = incoming_[static_cast<std::size_t>(from)];
  incoming = {};
  if (envelope.destination != rank_) {
    incoming.relayed.resize(envelope.payload);
    return incoming.relayed.data();
  }
  if (envelope.kind == Envelope::Kind::eager) {
    arrived_eager(incoming, envelope);
    return incoming.message ? incoming.message->memory : incoming.arrival->payload.data();
  }
  if (envelope.kind != Envelope::Kind::data) return nullptr;
  const auto found = receiving_.find({int{envelope.source}, envelope.id});
  if (found == receiving_.end() || envelope.offset != found->second->finished ||
      envelope.payload > found->second->bytes - found->second->finished)
    garbled(from);
  incoming.message = found->second;
  return incoming.message->memory + envelope.offset;
}

void Messages::arrived_eager(Incoming& incoming, const Envelope& envelope) {
  ++partner(envelope.source).tally.come;
  if (const auto receive = receiver_of(envelope)) {
    agree(*receive, envelope);
    incoming.message = receive;
    return;
  }
  incoming.arrival = std::make_shared<Arrival>();
  incoming.arrival->envelope = envelope;
  incoming.arrival->payload.resize(envelope.payload);
  partner(envelope.source).arrivals.push_back(incoming.arrival);
}

void Messages::announced(const Envelope& envelope) {
  ++partner(envelope.source).tally.come;
  auto arrival = std::make_shared<Arrival>();
  arrival->envelope = envelope;
  if (const auto receive = receiver_of(envelope)) {
    take(receive, arrival);
  } else {
    partner(envelope.source).arrivals.push_back(std::move(arrival));
  }
}

void Messages::end(int from, const Envelope& envelope) {
  Incoming incoming = std::exchange(incoming_[static_cast<std::size_t>(from)], {});
  if (envelope.destination != rank_) {
    way(envelope.destination)
        .queue({envelope.encode(), nullptr, envelope.payload, std::move(incoming.relayed), {}});
    return;
  }
  switch (envelope.kind) {
    case Envelope::Kind::eager:
      if (incoming.message) {
        credit_eager(envelope.source, cost_of(envelope));
        incoming.message->finished = envelope.payload;
        finish(*incoming.message);
      } else {
        incoming.arrival->complete = true;
        if (incoming.arrival->receiver) take(incoming.arrival->receiver, incoming.arrival);
      }
      return;
    case Envelope::Kind::request:
      announced(envelope);
      return;
    case Envelope::Kind::clear: {
      const auto found = held_.find(envelope.id);
      if (found == held_.end() || found->second->peer != envelope.source) garbled(from);
      if (found->second->bytes > 0) cleared_.push_back(found->second);
      if (found->second->bytes == 0) finish(*found->second);
      held_.erase(found);
      return;
    }
    case Envelope::Kind::data:
      incoming.message->finished += envelope.payload;
      if (!direct(envelope.source)) credit_window(envelope.source, envelope.payload);
      if (incoming.message->finished < incoming.message->bytes) return;
      receiving_.erase({int{envelope.source}, envelope.id});
      finish(*incoming.message);
      return;
    case Envelope::Kind::credit: {
      Partner& to = partner(envelope.source);
      std::size_t& used = envelope.id == 0 ? to.eager_used : to.window_used;
      used -= std::min(used, static_cast<std::size_t>(envelope.offset));
      return;
    }
  }
}

// Room is given back in large steps, so that few frames do nothing else.
void Messages::credit_eager(int source, std::size_t bytes) {
  Partner& to = partner(source);
  to.eager_owed += bytes;
  if (to.eager_owed < (direct(source) ? kEagerRoom : kEagerRoomRelayed) / 4) return;
  reply(Envelope::Kind::credit, source, 0, std::exchange(to.eager_owed, 0));
}

void Messages::credit_window(int source, std::size_t bytes) {
  Partner& to = partner(source);
  to.window_owed += bytes;
  if (to.window_owed < kWindow / 4) return;
  reply(Envelope::Kind::credit, source, 1, std::exchange(to.window_owed, 0));
}

void Messages::reply(Envelope::Kind kind, int destination, std::uint64_t id, std::uint64_t offset) {
  Envelope envelope;
  envelope.kind = kind;
  envelope.source = static_cast<std::uint16_t>(rank_);
  envelope.destination = static_cast<std::uint16_t>(destination);
  envelope.id = id;
  envelope.offset = offset;
  way(destination).queue({envelope.encode(), nullptr, 0, {}, {}});
}

void Messages::refill(int to) {
  for (auto each = cleared_.begin(); each != cleared_.end(); ++each) {
    const std::shared_ptr<Message> message = *each;
    if (next_[static_cast<std::size_t>(message->peer)] != to) continue;
    Partner& receiver = partner(message->peer);
    std::size_t size =
        std::min(message->bytes - message->queued, direct(message->peer) ? kFrameBytes : kRelayedFrame);
    if (!direct(message->peer)) {
      if (receiver.window_used + size > kWindow) continue;
      receiver.window_used += size;
    }
    Envelope envelope;
    envelope.kind = Envelope::Kind::data;
    envelope.source = static_cast<std::uint16_t>(rank_);
    envelope.destination = static_cast<std::uint16_t>(message->peer);
    envelope.id = message->id;
    envelope.offset = message->queued;
    envelope.payload = static_cast<std::uint32_t>(size);
    hop(to).queue({envelope.encode(), message->memory + message->queued, size, {}, message});
    message->queued += size;
    // To the end, so that several long messages share the link.
    cleared_.erase(each);
    if (message->queued < message->bytes) cleared_.push_back(message);
    return;
  }
}

void Messages::written(Message& message, std::size_t size) {
  message.finished += size;
  if (message.finished == message.bytes) finish(message);
}

void Messages::finish(Message& message) {
  if (message.send) bytes_sent_ += message.bytes;
  if (!message.send) bytes_received_ += message.bytes;
  ++finished_;
  message.done = true;
  const auto pending = std::move(message.pending);
  std::erase_if(open_, [&message](const auto& each) { return each.get() == &message; });
  if (pending) pending->finish(std::nullopt);
}

bool Messages::sending() const {
  return std::any_of(hops_.begin(), hops_.end(),
                     [](const Hop& each) { return each.usable() && !each.idle(); });
}

Messages::Stranded Messages::stranded() const {
  for (const std::shared_ptr<Message>& message : open_) {
    if (message->peer == rank_) continue;
    const int by = next_[static_cast<std::size_t>(message->peer)];
    const Hop& needed = hops_[static_cast<std::size_t>(by)];
    if (!needed.usable()) return {by, needed.broken(), message};
  }
  return {};
}

bool Messages::unmatched(const Message& message) const {
  if (message.done) return false;
  if (message.send) return held_.contains(message.id);
  const std::list<std::shared_ptr<Message>>& receives =
      partners_[static_cast<std::size_t>(message.peer)].receives;
  return std::any_of(receives.begin(), receives.end(),
                     [&message](const auto& each) { return each.get() == &message; });
}

bool Messages::holds(int source, std::uint64_t id) const {
  const auto& arrivals = partners_[static_cast<std::size_t>(source)].arrivals;
  return std::any_of(arrivals.begin(), arrivals.end(),
                     [id](const auto& arrival) { return arrival->envelope.id == id; });
}

void Messages::fail(const Error& error) {
  for (Hop& each : hops_)
    if (each.linked()) each.drop();
  const std::list<std::shared_ptr<Message>> all = std::exchange(open_, {});
  held_.clear();
  cleared_.clear();
  receiving_.clear();
  for (Partner& each : partners_) each = {};
  for (Incoming& each : incoming_) each = {};
  for (const std::shared_ptr<Message>& message : all)
    if (message->pending) message->pending->finish(error);
}

void Messages::add_descriptors(std::vector<pollfd>& entries) const {
  for (const Hop& each : hops_) {
    if (!each.usable()) continue;
    const Channel::Interest interest = each.interest();
    if (interest.descriptor < 0) continue;
    const short out = each.idle() ? short{0} : interest.write_events;
    entries.push_back({interest.descriptor, static_cast<short>(interest.read_events | out), 0});
  }
}

std::size_t Messages::memory_bytes() const {
  std::size_t sum = 0;
  for (const Hop& each : hops_) sum += each.memory_bytes();
  for (const Partner& each : partners_)
    for (const auto& arrival : each.arrivals) sum += arrival->payload.capacity() + sizeof(Arrival);
  return sum;
}

void Messages::garbled(int from) const {
  throw Error(Code::internal, mesh_.name(from) + " sent a message that cannot be read", from,
              mesh_.peer(from).host);
}

}  // namespace jackal::collectives
