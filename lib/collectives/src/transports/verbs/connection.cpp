#include "transports/verbs/connection.hpp"

#include <sys/random.h>

#include <algorithm>
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
  return connection_.memory_of(c, false, number_, slot);
}

void Connection::StreamRail::post(MessageClass c, int slot, std::size_t bytes) {
  connection_.device_.post_send(connection_.queue_pairs_[index(c)],
                                request_id(connection_.id_, number_, c, false, slot), send_memory(c, slot),
                                bytes);
  ++connection_.groups_[static_cast<std::size_t>(number_ / kStreams)]->posted;
}

void Connection::StreamRail::free_receive(MessageClass c, int slot) { connection_.post_receive(c, slot); }

Connection::Connection(Device& device, int id, const StreamSizes& sizes, int groups)
    : device_(device), id_(id), sizes_(sizes), most_groups_(static_cast<std::size_t>(groups)) {
  for (const MessageClass c : {MessageClass::small, MessageClass::large}) {
    const std::size_t bytes = sizes_.classes[index(c)].message_bytes;
    if (bytes == 0) continue;
    queue_pairs_.push_back(device_.create_queue_pair(depth_of(sizes_, c, groups * kStreams, false),
                                                     depth_of(sizes_, c, groups * kStreams, true),
                                                     static_cast<int>(bytes / kFrameBytes)));
    psns_.push_back(random_number() & kPsnMask);
  }
}

ConnectionEnd Connection::end() const {
  ConnectionEnd end{device_.gid(), device_.lid(), static_cast<std::uint8_t>(device_.mtu()), 0, {}};
  for (std::size_t i = 0; i < queue_pairs_.size(); ++i)
    end.queue_pairs.push_back({queue_pairs_[i]->qp_num, psns_[i]});
  return end;
}

void Connection::connect(const ConnectionEnd& other) {
  for (std::size_t i = 0; i < queue_pairs_.size(); ++i)
    device_.connect(queue_pairs_[i], psns_[i], other.gid, other.lid, other.queue_pairs[i].number,
                    other.queue_pairs[i].psn, static_cast<ibv_mtu>(other.mtu));
}

std::optional<int> Connection::join() {
  // Receives that were posted once stay posted: who has left has room for who comes, once its sends are done.
  const auto room = std::find_if(groups_.begin(), groups_.end(),
                                 [](const auto& one) { return !one->taken && one->posted == 0; });
  const int number = static_cast<int>(room - groups_.begin());
  if (room == groups_.end()) {
    if (groups_.size() == most_groups_) return std::nullopt;
    auto made = std::make_unique<Group>();
    made->memory = device_.add_slab(memory_bytes());
    groups_.push_back(std::move(made));
    Group& group = *groups_.back();
    for (int stream = 0; stream < kStreams; ++stream)
      group.rails.push_back(std::make_unique<StreamRail>(*this, number * kStreams + stream));
    for (const MessageClass c : {MessageClass::small, MessageClass::large}) {
      const int each = kStreams * sizes_.receives(c);
      for (int slot = 0; slot < each; ++slot) post_receive(c, number * each + slot);
    }
  }
  Group& group = *groups_[static_cast<std::size_t>(number)];
  group.taken = true;
  group.tag = random_number();
  return number;
}

void Connection::begin(int number, std::uint32_t other_tag) {
  Group& group = *groups_[static_cast<std::size_t>(number)];
  for (std::uint32_t stream = 0; stream < kStreams; ++stream)
    group.streams.push_back(std::make_unique<ReliableStream>(sizes_, group.tag + stream, other_tag + stream,
                                                             passage_, *group.rails[stream]));
}

void Connection::leave(int number) {
  Group& group = *groups_[static_cast<std::size_t>(number)];
  try {
    for (const auto& stream : group.streams) stream->drop_unread();
  } catch (const Error& error) {
    fail(error.what());
  }
  group.streams.clear();
  group.taken = false;
}

bool Connection::quiet(int group) const {
  const auto& streams = group_at(group).streams;
  return std::all_of(streams.begin(), streams.end(),
                     [](const auto& one) { return one->settled() && !one->owes_news(); });
}

bool Connection::quiet() const {
  for (int group = 0; group < static_cast<int>(groups_.size()); ++group)
    if (!quiet(group)) return false;
  return true;
}

// A stream's memory: of each class, that of its sends and then that of its receives.
std::byte* Connection::memory_of(MessageClass c, bool receive, int stream, int slot) {
  std::byte* at = groups_[static_cast<std::size_t>(stream / kStreams)]->memory +
                  static_cast<std::size_t>(stream % kStreams) * slab_bytes(sizes_);
  if (c == MessageClass::large)
    at += static_cast<std::size_t>(sizes_.sends(MessageClass::small) + sizes_.receives(MessageClass::small)) *
          sizes_.classes[0].message_bytes;
  if (receive) slot += sizes_.sends(c);
  return at + static_cast<std::size_t>(slot) * sizes_.classes[index(c)].message_bytes;
}

// Receives are numbered over all streams, as any message may land in any of them.
void Connection::post_receive(MessageClass c, int slot) {
  const int each = sizes_.receives(c);
  device_.post_receive(queue_pairs_[index(c)], request_id(id_, 0, c, true, slot),
                       memory_of(c, true, slot / each, slot % each), sizes_.classes[index(c)].message_bytes);
}

template <class Action>
void Connection::each_stream(const Action& action) {
  for (const auto& group : groups_)
    for (const auto& stream : group->streams) action(*stream);
}

void Connection::completed(const ibv_wc& completion, Clock::time_point now) {
  at(now);
  if (completion.status != IBV_WC_SUCCESS)
    return fail("RDMA device " + device_.name() + ": " + completion_text(completion.status));
  const auto c = static_cast<MessageClass>(completion.wr_id >> 17 & 1);
  const int slot = static_cast<int>(completion.wr_id & 0xffff);
  if ((completion.wr_id >> 16 & 1) != 0) return arrived(c, slot, completion.byte_len);
  const int number = static_cast<int>(completion.wr_id >> 24 & 0xff);
  Group& group = *groups_[static_cast<std::size_t>(number / kStreams)];
  --group.posted;
  if (!group.streams.empty()) stream(number / kStreams, number % kStreams).sent(c, slot);
}

void Connection::arrived(MessageClass c, int slot, std::size_t bytes) {
  const int each = sizes_.receives(c);
  const std::span<const std::byte> message(memory_of(c, true, slot / each, slot % each), bytes);
  const std::uint32_t tag = MessageHeader::tag_of(message);
  for (const auto& group : groups_)
    for (const auto& stream : group->streams)
      if (tag == stream->tag_in()) return stream->arrived(c, slot, message);
  // Nobody's: of a group that has left, or that the other end has not heard of yet.
  post_receive(c, slot);
}

void Connection::at(Clock::time_point now) {
  each_stream([now](ReliableStream& stream) { stream.at(now); });
}

void Connection::tick(Clock::time_point now) {
  skipped_ticks_ = 0;
  ticked_.store(true, std::memory_order_relaxed);
  each_stream([now](ReliableStream& stream) { stream.tick(now); });
}

void Connection::fail(const std::string& why) {
  if (!trouble_.empty()) return;
  // A port that is down makes every request fail in its own way; it is the port that is to be named.
  const std::string port = device_.port_trouble();
  trouble_ = port.empty() ? why : port;
}

}  // namespace jackal::collectives
