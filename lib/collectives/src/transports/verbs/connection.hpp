// One cable to one peer: its queue pairs, and the streams of several groups that share them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transports/verbs/device.hpp"

namespace jackal::collectives {

/// What one end tells the other about its queue pairs.
struct QueuePairEnd {
  std::uint32_t number = 0;
  std::uint32_t psn = 0;
};
struct ConnectionEnd {
  ibv_gid gid{};
  std::uint16_t lid = 0;
  std::uint8_t mtu = 0;
  std::uint32_t tag = 0;  // of what this end sends for one group; its stream s adds s
  std::vector<QueuePairEnd> queue_pairs;
};

class Connection {
public:
  /// Streams of one group over one connection.
  static constexpr int kStreams = 2;

  /// Creates the queue pairs on `device`, for so many groups at the same time. `id`: what this connection's
  /// work requests carry, below 65536.
  Connection(Device& device, int id, const StreamSizes& sizes, int groups);

  /// Where this end is; without a tag.
  ConnectionEnd end() const;
  /// From here on the other end may send, if a group has joined.
  void connect(const ConnectionEnd& other);

  /// Receives for one more group: its number, or nothing when there is no room for one. The two ends number
  /// their groups as they like.
  std::optional<int> join();
  /// What the other end has to know for begin().
  std::uint32_t tag(int group) const { return group_at(group).tag; }
  void begin(int group, std::uint32_t other_tag);
  /// What was not read is lost; the other end had better have nothing under way either.
  void leave(int group);

  ReliableStream& stream(int group, int number) {
    return *groups_[static_cast<std::size_t>(group)]->streams[static_cast<std::size_t>(number)];
  }
  /// Neither side waits for anything of the group, or of any group.
  bool quiet(int group) const;
  bool quiet() const;
  std::size_t memory_bytes() const { return kStreams * slab_bytes(sizes_); }  // of one group
  Device& device() { return device_; }

  /// A completion whose work request is this connection's.
  void completed(const ibv_wc& completion, Clock::time_point now);
  void tick(Clock::time_point now);
  /// What time it is for what follows; part of tick().
  void at(Clock::time_point now);
  /// Who polls without a pause need not tick each time: a look at the clock takes longer.
  bool may_skip_tick() { return ++skipped_ticks_ < kSkippedTicks; }
  void skip_no_tick() { skipped_ticks_ = kSkippedTicks; }

  /// Set by tick(), taken back by who looks after those connections that nobody ticks. Needs no lock.
  std::atomic<bool>& ticked() { return ticked_; }

  /// Why it carries nothing any more; "" while it does.
  const std::string& trouble() const { return trouble_; }
  void fail(const std::string& why);

  /// Which connection a work request belongs to.
  static int owner(std::uint64_t work_request) { return static_cast<int>(work_request >> 32); }

private:
  static constexpr int kSkippedTicks = 16;

  class StreamRail : public Rail {
  public:
    StreamRail(Connection& connection, int number) : connection_(connection), number_(number) {}
    std::byte* send_memory(MessageClass c, int slot) override;
    void post(MessageClass c, int slot, std::size_t bytes) override;
    void free_receive(MessageClass c, int slot) override;

  private:
    Connection& connection_;
    int number_;  // of the stream, over all groups
  };

  struct Group {
    std::byte* memory = nullptr;  // a slab, for this group and those that come in its place
    std::vector<std::unique_ptr<StreamRail>> rails;
    std::vector<std::unique_ptr<ReliableStream>> streams;  // from begin() to leave()
    std::uint32_t tag = 0;
    bool taken = false;
    int posted = 0;  // sends whose completion has not come
  };

  const Group& group_at(int group) const { return *groups_[static_cast<std::size_t>(group)]; }
  std::byte* memory_of(MessageClass c, bool receive, int stream, int slot);
  void post_receive(MessageClass c, int slot);
  void arrived(MessageClass c, int slot, std::size_t bytes);
  template <class Action>
  void each_stream(const Action& action);

  Device& device_;
  int id_;
  StreamSizes sizes_;
  std::vector<ibv_qp*> queue_pairs_;  // by class
  std::vector<std::uint32_t> psns_;
  Passage passage_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::size_t most_groups_;
  int skipped_ticks_ = 0;
  std::string trouble_;
  std::atomic<bool> ticked_ = false;
};

}  // namespace jackal::collectives
