// Runs one rank's program over its channels: starts every step as soon as it may, cuts long vectors into
// slices that follow each other through the program, and spreads each transfer over the cables of its pair.
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
/// empty: `count` each.
struct Memory {
  const void* input = nullptr;
  void* output = nullptr;
  std::size_t count = 0;
  std::span<const std::size_t> counts = {};
};

struct Traffic {
  std::uint64_t sent = 0;  // bytes
  std::uint64_t received = 0;
};

class Executor {
public:
  Executor(Lanes lanes, Crowding crowding);
  ~Executor();

  /// `header` goes ahead of the first bytes that each lane carries in this call, and as many bytes are taken
  /// off what comes; `check` is called with each peer's, before anything of that peer is used. Returns when
  /// all bytes have been received and handed to the transport. Throws Error by way of `watch`.
  using CheckHeader = std::function<void(int rank, std::span<const std::byte> header)>;
  Traffic run(const Program& program, const Shape& shape, const Memory& memory, Dtype dtype, Op op,
              std::int64_t slice_bytes, std::span<const std::byte> header, const CheckHeader& check,
              Watch& watch);

  /// Memory held between calls.
  std::size_t memory_bytes() const;

private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace jackal::collectives
