// One cable to one peer: its queue pairs, the memory of its messages, and the streams that run over them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
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
  std::uint32_t tag = 0;  // of what this end sends; stream s adds s
  std::vector<QueuePairEnd> queue_pairs;
};

class Connection {
public:
  /// Creates the queue pairs on `device` and posts their receives. `memory`: slab_bytes() a stream, within
  /// its slab. `id`: what this connection's work requests carry, below 65536.
  Connection(Device& device, int id, const StreamSizes& sizes, int streams, std::byte* memory);

  ConnectionEnd end() const;
  /// From here on the other end may send.
  void connect(const ConnectionEnd& other);

  ReliableStream& stream(int number) { return *streams_[static_cast<std::size_t>(number)]; }
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
    int number_;
  };

  std::byte* memory_of(MessageClass c, bool receive, int slot);
  int sends_of(MessageClass c) const;     // of all streams
  int receives_of(MessageClass c) const;  // of all streams
  void arrived(MessageClass c, int slot, std::size_t bytes);

  Device& device_;
  int id_;
  StreamSizes sizes_;
  std::byte* memory_;
  std::uint32_t tag_;
  std::vector<ibv_qp*> queue_pairs_;  // by class
  std::vector<std::uint32_t> psns_;
  Passage passage_;
  std::vector<std::unique_ptr<StreamRail>> rails_;
  std::vector<std::unique_ptr<ReliableStream>> streams_;
  int stream_count_;
  int skipped_ticks_ = 0;
  std::string trouble_;
  std::atomic<bool> ticked_ = false;
};

}  // namespace jackal::collectives
