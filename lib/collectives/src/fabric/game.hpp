// Two ranks find out what the link between them can do. One of them leads; each way of the link is measured
// by who sends.
#pragma once

#include <cstdint>
#include <vector>

#include "transports/channel.hpp"
#include "transports/pacer.hpp"

namespace jackal::collectives {

struct Score {
  std::int64_t round_trip_ns = 0;      // of a few bytes; of who leads, else 0
  std::int64_t write_ns = 0;           // of a few bytes, of this rank
  std::int64_t bytes_per_ms = 0;       // from this rank to the other, all cables
  std::int64_t busy_bytes_per_ms = 0;  // bytes for the time that this rank spent on handing them over
};

Score play(int peer, const std::vector<Channel*>& lanes, bool leads, Watch& watch);

}  // namespace jackal::collectives
