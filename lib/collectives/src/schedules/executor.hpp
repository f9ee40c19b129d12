// Runs one rank's program over its channels: starts every step as soon as it may, cuts long vectors into
// slices that follow each other through the program (flow.hpp says in which order), and spreads each transfer
// over the cables of its pair. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kernels/reduce.hpp"
#include "schedules/schedule.hpp"
#include "transports/channel.hpp"
#include "transports/pacer.hpp"

namespace jackal::collectives {

/// The channels to every rank, one a cable, in cable order; empty for this rank and where there is no link.
using Lanes = std::vector<std::vector<Channel*>>;

/// Where the elements are. `counts`: the elements of each chunk of a space of size() chunks (all_gather_v);
/// empty: `count` each. `average` is carried out as `sum`; who calls divides.
struct Memory {
  const void* input = nullptr;
  void* output = nullptr;
  std::size_t count = 0;  // with `counts`: of this rank's own chunk
  std::span<const std::size_t> counts = {};
};

struct Traffic {
  std::uint64_t sent = 0;  // bytes, headers not counted
  std::uint64_t received = 0;
};

class Executor {
public:
  Executor(Lanes lanes, Crowding crowding);
  ~Executor();

  /// `header` (kHeaderLimit bytes at most) goes ahead of the first bytes that each lane carries in this call,
  /// and as many bytes are taken off what comes; `check` is called with each lane's, before anything of it is
  /// used. An empty transfer carries its header all the same. `slice_bytes` of each chunk go through the
  /// program at a time. Returns when all bytes have been received and handed to the transport. Throws Error
  /// by way of `watch` and `check`; the channels are then in the middle of something.
  static constexpr std::size_t kHeaderLimit = 64;
  using CheckHeader = std::function<void(int rank, std::span<const std::byte> header)>;
  Traffic run(const Program& program, const Memory& memory, Dtype dtype, Op op, std::int64_t slice_bytes,
              std::span<const std::byte> header, const CheckHeader& check, Watch& watch);

  /// The ranks that run() is waiting for just now, ascending: those that owe bytes, else those that take
  /// none. For messages; to be called from within run() by way of `watch`.
  std::vector<int> awaited() const;

  /// Memory held between calls.
  std::size_t memory_bytes() const;

private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace jackal::collectives
