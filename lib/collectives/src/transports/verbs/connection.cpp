#include "transports/verbs/connection.hpp"

#include <sys/random.h>

#include <cerrno>

namespace jackal::collectives {
namespace {

constexpr std::uint32_t kPsnMask = 0xffffff;

std::uint32_t random_number() {
  std::uint32_t value = 0;
  if (::getentropy(&value, sizeof value) != 0)
    throw Error(Code::io, "cannot read random bytes: " + system_text(errno), -1, "", "", "init");
  return value;
}

// Work request ids: connection | stream | class | receive | slot.
std::uint64_t request_id(int connection, int stream, MessageClass c, bool receive, int slot) {
  return static_cast<std::uint64_t>(connection) << 32 | static_cast<std::uint64_t>(stream) << 24 |
         static_cast<std::uint64_t>(c) << 17 | static_cast<std::uint64_t>(receive) << 16 |
         static_cast<std::uint64_t>(slot);
}

std::size_t index(MessageClass c) { return static_cast<std::size_t>(c); }

}  // namespace

std::byte* Connection::StreamRail::send_memory(MessageClass c, int slot) {
  return connection_.memory_of(c, false, number_ * connection_.sizes_.sends(c) + slot);
}

void Connection::StreamRail::post(MessageClass c, int slot, std::size_t bytes) {
  connection_.device_.post_send(connection_.queue_pairs_[index(c)],
                                request_id(connection_.id_, number_, c, false, slot), send_memory(c, slot),
                                bytes);
}

void Connection::StreamRail::free_receive(MessageClass c, int slot) {
  connection_.device_.post_receive(
      connection_.queue_pairs_[index(c)], request_id(connection_.id_, 0, c, true, slot),
      connection_.memory_of(c, true, slot), connection_.sizes_.classes[index(c)].message_bytes);
}

Connection::Connection(Device& device, int id, const StreamSizes& sizes, int streams, std::byte* memory)
    : device_(device),
      id_(id),
      sizes_(sizes),
      memory_(memory),
      tag_(random_number()),
      stream_count_(streams) {
  for (int number = 0; number < streams; ++number)
    rails_.push_back(std::make_unique<StreamRail>(*this, number));
  for (const MessageClass c : {MessageClass::small, MessageClass::large}) {
    const std::size_t bytes = sizes_.classes[index(c)].message_bytes;
    if (bytes == 0) continue;
    queue_pairs_.push_back(
        device_.create_queue_pair(sends_of(c), receives_of(c), static_cast<int>(bytes / kFrameBytes)));
    psns_.push_back(random_number() & kPsnMask);
    for (int slot = 0; slot < receives_of(c); ++slot) rails_[0]->free_receive(c, slot);
  }
}

ConnectionEnd Connection::end() const {
  ConnectionEnd end{device_.gid(), device_.lid(), static_cast<std::uint8_t>(device_.mtu()), tag_, {}};
  for (std::size_t i = 0; i < queue_pairs_.size(); ++i)
    end.queue_pairs.push_back({queue_pairs_[i]->qp_num, psns_[i]});
  return end;
}

void Connection::connect(const ConnectionEnd& other) {
  for (int number = 0; number < stream_count_; ++number) {
    const auto offset = static_cast<std::uint32_t>(number);
    streams_.push_back(std::make_unique<ReliableStream>(sizes_, tag_ + offset, other.tag + offset, passage_,
                                                        *rails_[static_cast<std::size_t>(number)]));
  }
  for (std::size_t i = 0; i < queue_pairs_.size(); ++i)
    device_.connect(queue_pairs_[i], psns_[i], other.gid, other.lid, other.queue_pairs[i].number,
                    other.queue_pairs[i].psn, static_cast<ibv_mtu>(other.mtu));
}

int Connection::sends_of(MessageClass c) const { return depth_of(sizes_, c, stream_count_, false); }
int Connection::receives_of(MessageClass c) const { return depth_of(sizes_, c, stream_count_, true); }

std::byte* Connection::memory_of(MessageClass c, bool receive, int slot) {
  std::byte* at = memory_;
  if (c == MessageClass::large)
    at += static_cast<std::size_t>(sends_of(MessageClass::small) + receives_of(MessageClass::small)) *
          sizes_.classes[0].message_bytes;
  if (receive) slot += sends_of(c);
  return at + static_cast<std::size_t>(slot) * sizes_.classes[index(c)].message_bytes;
}

void Connection::completed(const ibv_wc& completion, Clock::time_point now) {
  at(now);
  if (completion.status != IBV_WC_SUCCESS)
    return fail("RDMA device " + device_.name() + ": " + completion_text(completion.status));
  const auto c = static_cast<MessageClass>(completion.wr_id >> 17 & 1);
  const int slot = static_cast<int>(completion.wr_id & 0xffff);
  if ((completion.wr_id >> 16 & 1) != 0) return arrived(c, slot, completion.byte_len);
  stream(static_cast<int>(completion.wr_id >> 24 & 0xff)).sent(c, slot);
}

void Connection::arrived(MessageClass c, int slot, std::size_t bytes) {
  const std::span<const std::byte> message(memory_of(c, true, slot), bytes);
  const std::uint32_t tag = MessageHeader::tag_of(message);
  for (const auto& stream : streams_)
    if (tag == stream->tag_in()) return stream->arrived(c, slot, message);
  // Nobody's: the first stream counts it and posts the receive again.
  stream(0).arrived(c, slot, message);
}

void Connection::at(Clock::time_point now) {
  for (const auto& stream : streams_) stream->at(now);
}

void Connection::tick(Clock::time_point now) {
  skipped_ticks_ = 0;
  ticked_.store(true, std::memory_order_relaxed);
  for (const auto& stream : streams_) stream->tick(now);
}

void Connection::fail(const std::string& why) {
  if (!trouble_.empty()) return;
  // A port that is down makes every request fail in its own way; it is the port that is to be named.
  const std::string port = device_.port_trouble();
  trouble_ = port.empty() ? why : port;
}

}  // namespace jackal::collectives
