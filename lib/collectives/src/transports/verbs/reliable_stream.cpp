#include "transports/verbs/reliable_stream.hpp"

#include <algorithm>
#include <cstring>

namespace jackal::collectives {
namespace {

using std::chrono::milliseconds;

// How long news of a message may take: what it usually takes, and within these bounds.
constexpr milliseconds kFirstPatience(3);
constexpr milliseconds kLastPatience(100);
// How long news may wait for data to travel with.
constexpr milliseconds kUntoldLimit(1);
// Receives for repeats of messages whose first copy has arrived as well.
constexpr int kSmallRepeats = 8;
constexpr int kLargeRepeats = 2;

std::size_t index(MessageClass c) { return static_cast<std::size_t>(c); }

std::size_t bytes_of(std::span<const iovec> pieces) {
  std::size_t bytes = 0;
  for (const iovec& piece : pieces) bytes += piece.iov_len;
  return bytes;
}

// Copies `size` bytes from `offset` on of what the pieces are together.
void gather(std::byte* to, std::span<const iovec> pieces, std::size_t offset, std::size_t size) {
  for (const iovec& piece : pieces) {
    if (offset >= piece.iov_len) {
      offset -= piece.iov_len;
      continue;
    }
    const std::size_t part = std::min(piece.iov_len - offset, size);
    std::memcpy(to, static_cast<const std::byte*>(piece.iov_base) + offset, part);
    to += part;
    size -= part;
    offset = 0;
    if (size == 0) return;
  }
}

}  // namespace

int StreamSizes::receives(MessageClass c) const {
  const Class& one = classes[index(c)];
  if (one.message_bytes == 0) return 0;
  return c == MessageClass::small ? one.window + states + kSmallRepeats : one.window + kLargeRepeats;
}

int StreamSizes::sends(MessageClass c) const {
  const Class& one = classes[index(c)];
  if (one.message_bytes == 0) return 0;
  return c == MessageClass::small ? one.window + states : one.window;
}

ReliableStream::ReliableStream(const StreamSizes& sizes, std::uint32_t tag_out, std::uint32_t tag_in,
                               Passage& passage, Rail& rail)
    : sizes_(sizes),
      tag_out_(tag_out),
      tag_in_(tag_in),
      passage_(passage),
      rail_(rail),
      peer_seen_(passage.transmissions),
      usual_(kFirstPatience),
      patience_(kFirstPatience) {
  for (const MessageClass c : {MessageClass::small, MessageClass::large})
    for (int slot = sizes_.classes[index(c)].message_bytes == 0 ? 0 : sizes_.classes[index(c)].window;
         slot > 0; --slot)
      free_slots_[index(c)].push_back(slot - 1);
  const int first_state = sizes_.classes[0].window;
  for (int slot = sizes_.sends(MessageClass::small); slot > first_state; --slot)
    free_state_slots_.push_back(slot - 1);
}

std::size_t ReliableStream::capacity(MessageClass c) const {
  return sizes_.classes[index(c)].message_bytes - MessageHeader::kSize;
}

// A large message costs as much as its padding; small ones cost their number.
MessageClass ReliableStream::class_for(std::size_t bytes) const {
  const StreamSizes::Class& large = sizes_.classes[1];
  return large.message_bytes > 0 && bytes >= large.least_bytes / 2 ? MessageClass::large
                                                                   : MessageClass::small;
}

std::size_t ReliableStream::write(std::span<const iovec> pieces) {
  const std::size_t total = bytes_of(pieces);
  std::size_t written = 0;
  while (written < total) {
    const MessageClass c = class_for(total - written);
    std::vector<int>& free = free_slots_[index(c)];
    if (free.empty()) break;
    const std::size_t payload = std::min(total - written, capacity(c));
    outgoing_.push_back({next_sequence_++, c, free.back(), payload, 0, now_, 0, 0, false});
    free.pop_back();
    gather(rail_.send_memory(c, outgoing_.back().slot) + MessageHeader::kSize, pieces, written, payload);
    transmit(outgoing_.back());
    written += payload;
  }
  const bool blocked = written < total;
  // The silence that counts begins here.
  if (!blocked_ || written > 0) heard_ = now_;
  blocked_ = blocked;
  return written;
}

void ReliableStream::transmit(Outgoing& message) {
  MessageHeader header;
  header.type = MessageType::data;
  header.sequence = message.sequence;
  header.length = static_cast<std::uint32_t>(message.payload);
  message.last_transmission = passage_.transmissions[index(message.c)];
  message.posted = now_;
  ++message.posts;
  ++message.posts_pending;
  const std::size_t bytes = finish(header, message.c, rail_.send_memory(message.c, message.slot));
  rail_.post(message.c, message.slot, bytes);
}

bool ReliableStream::send_state(MessageType type) {
  while (!states_.empty() && now_ - states_.front().posted >= kLastPatience) states_.pop_front();
  if (static_cast<int>(states_.size()) >= sizes_.states || free_state_slots_.empty()) return false;
  const int slot = free_state_slots_.back();
  free_state_slots_.pop_back();
  states_.push_back({passage_.transmissions[0], now_});
  MessageHeader header;
  header.type = type;
  const std::size_t bytes = finish(header, MessageClass::small, rail_.send_memory(MessageClass::small, slot));
  rail_.post(MessageClass::small, slot, bytes);
  return true;
}

std::size_t ReliableStream::finish(MessageHeader& header, MessageClass c, std::byte* at) {
  header.tag = tag_out_;
  header.transmission = passage_.transmissions[index(c)]++;
  header.next = next_in_;
  for (std::uint32_t bit = 0; bit < 32 && before(next_in_ + 1 + bit, last_in_); ++bit) {
    const auto& one = held(next_in_ + 1 + bit);
    if (one && one->sequence == next_in_ + 1 + bit) header.held |= 1u << bit;
  }
  header.consumed = consumed_;
  std::copy(passage_.seen.begin(), passage_.seen.end(), header.transmissions_seen);
  header.encode(at);
  if (sizes_.checksum) {
    header.checksum = crc32c({at, MessageHeader::kSize + header.length});
    header.encode(at);
  }
  told_next_ = next_in_;
  told_consumed_ = consumed_;
  untold_ = {};
  owes_answer_ = false;
  losses_told_ = passage_.losses;
  return std::max(MessageHeader::kSize + header.length, sizes_.classes[index(c)].least_bytes);
}

bool ReliableStream::intact(const MessageHeader& header, std::span<const std::byte> message) const {
  if (!sizes_.checksum) return true;
  std::array<std::byte, MessageHeader::kSize> bare;
  MessageHeader without = header;
  without.checksum = 0;
  without.encode(bare.data());
  const std::uint32_t crc = crc32c(message.subspan(MessageHeader::kSize, header.length), crc32c(bare));
  return crc == header.checksum;
}

void ReliableStream::arrived(MessageClass c, int slot, std::span<const std::byte> message) {
  const auto header = MessageHeader::decode(message);
  if (!header || header->tag != tag_in_ || before(header->transmission, passage_.seen[index(c)]) ||
      !intact(*header, message)) {
    ++strays_;
    rail_.free_receive(c, slot);
    return;
  }
  if (header->transmission != passage_.seen[index(c)]) ++passage_.losses;
  passage_.seen[index(c)] = header->transmission + 1;
  if (header->type == MessageType::data) {
    accept(c, slot, header->sequence, message.subspan(MessageHeader::kSize, header->length));
  } else {
    if (header->type == MessageType::probe) owes_answer_ = true;
    rail_.free_receive(c, slot);
  }
  take_news(*header);
}

void ReliableStream::accept(MessageClass c, int slot, std::uint32_t sequence,
                            std::span<const std::byte> payload) {
  const bool old = before(sequence, next_in_) || (held(sequence) && held(sequence)->sequence == sequence);
  if (old || payload.empty() || sequence - consumed_ >= kHeldSlots) {
    if (!old) ++strays_;
    rail_.free_receive(c, slot);
    return;
  }
  held_[sequence % kHeldSlots] = Incoming{sequence, c, slot, payload};
  if (!before(sequence, last_in_)) last_in_ = sequence + 1;
  while (held(next_in_) && held(next_in_)->sequence == next_in_) ++next_in_;
  if (untold_since_ == Clock::time_point{}) untold_since_ = now_;
}

void ReliableStream::take_news(const MessageHeader& header) {
  // Only what could be true is believed.
  if (before(next_sequence_, header.next) || before(header.next, header.consumed)) return;
  bool news = before(peer_consumed_, header.consumed);
  for (Outgoing& message : outgoing_) {
    const std::uint32_t beyond = message.sequence - header.next - 1;
    const bool arrived =
        before(message.sequence, header.next) || (beyond < 32 && (header.held >> beyond & 1) != 0);
    if (!arrived || message.arrived) continue;
    news = message.arrived = true;
    // Of one that was repeated nobody knows which copy the news is of.
    if (message.posts == 1) learn(now_ - message.posted);
  }
  if (before(peer_consumed_, header.consumed)) peer_consumed_ = header.consumed;
  for (std::size_t c = 0; c < kMessageClasses; ++c)
    if (before(peer_seen_[c], header.transmissions_seen[c])) peer_seen_[c] = header.transmissions_seen[c];
  while (!states_.empty() && before(states_.front().transmission, peer_seen_[0])) states_.pop_front();
  if (news) {
    heard_ = now_;
    patience_ = usual_;
  }
  drop_finished();
  send_again(header.type == MessageType::state);
}

// The mean of the latest times and four times their mean deviation (as TCP does), so that a stack in software
// on a busy machine is not flooded with repeats.
void ReliableStream::learn(Clock::duration took) {
  if (mean_ == Clock::duration::zero()) {
    mean_ = took;
    deviation_ = took / 2;
  } else {
    deviation_ += (std::chrono::abs(took - mean_) - deviation_) / 4;
    mean_ += (took - mean_) / 8;
  }
  usual_ = std::clamp<Clock::duration>(mean_ + 4 * deviation_, kFirstPatience, kLastPatience);
}

void ReliableStream::send_again(bool after_silence) {
  for (Outgoing& message : outgoing_) {
    if (message.arrived || message.posts_pending > 0) continue;
    const bool lost = before(message.last_transmission, peer_seen_[index(message.c)]);
    // An answer overtakes large messages, which travel on a queue pair of their own.
    const bool missed = after_silence && message.posted < probed_ && now_ - message.posted >= usual_;
    if (!lost && !missed) continue;
    ++repairs_;
    transmit(message);
  }
}

void ReliableStream::drop_finished() {
  while (!outgoing_.empty() && before(outgoing_.front().sequence, peer_consumed_) &&
         outgoing_.front().posts_pending == 0) {
    free_slots_[index(outgoing_.front().c)].push_back(outgoing_.front().slot);
    outgoing_.pop_front();
  }
}

void ReliableStream::sent(MessageClass c, int slot) {
  if (c == MessageClass::small && slot >= sizes_.classes[0].window) {
    free_state_slots_.push_back(slot);
    return;
  }
  for (Outgoing& message : outgoing_)
    if (message.c == c && message.slot == slot) --message.posts_pending;
  drop_finished();
}

std::span<const std::byte> ReliableStream::peek(std::size_t most) const {
  if (consumed_ == next_in_) return {};
  const auto left = held(consumed_)->payload.subspan(consumed_bytes_);
  return left.first(std::min(most, left.size()));
}

void ReliableStream::consume(std::size_t size) {
  while (size > 0) {
    Incoming& first = *held_[consumed_ % kHeldSlots];
    const std::size_t part = std::min(size, first.payload.size() - consumed_bytes_);
    consumed_bytes_ += part;
    size -= part;
    if (consumed_bytes_ < first.payload.size()) return;
    rail_.free_receive(first.c, first.slot);
    ++untold_[index(first.c)];
    const bool waits_for_it = 2 * untold_[index(first.c)] >= sizes_.classes[index(first.c)].window;
    held_[consumed_ % kHeldSlots].reset();
    ++consumed_;
    consumed_bytes_ = 0;
    if (waits_for_it) send_state(MessageType::state);
  }
}

std::size_t ReliableStream::read(void* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const auto bytes = peek(size - done);
    if (bytes.empty()) break;
    std::memcpy(static_cast<std::byte*>(to) + done, bytes.data(), bytes.size());
    consume(bytes.size());
    done += bytes.size();
  }
  return done;
}

void ReliableStream::drop_unread() {
  for (const std::optional<Incoming>& one : held_)
    if (one) rail_.free_receive(one->c, one->slot);
}

void ReliableStream::tick(Clock::time_point now) {
  now_ = now;
  if (owes_answer_ || losses_told_ != passage_.losses) send_state(MessageType::state);
  if (!owes_news()) {
    untold_since_ = {};
  } else if (untold_since_ == Clock::time_point{}) {
    untold_since_ = now;
  } else if (now - untold_since_ >= kUntoldLimit && send_state(MessageType::state)) {
    untold_since_ = {};
  }
  if ((settled() && !blocked_) || now - heard_ < patience_) return;
  if (send_state(MessageType::probe)) probed_ = now;
  heard_ = now;
  patience_ = std::min<Clock::duration>(2 * patience_, kLastPatience);
}

bool ReliableStream::settled() const {
  return std::all_of(outgoing_.begin(), outgoing_.end(), [](const Outgoing& one) { return one.arrived; });
}

}  // namespace jackal::collectives
