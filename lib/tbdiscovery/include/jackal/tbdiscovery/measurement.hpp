// What a cable was measured to carry. Every figure says how it was got; what could not be measured is absent.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace jackal::tbdiscovery {

struct Figure {
  double value = 0;
  std::string how;  // "ping, 10 packets"
};

struct CableMeasurement {
  std::size_t cable = 0;                // in ClusterMap::cables
  std::optional<Figure> round_trip_ms;  // between its two addresses
  std::optional<Figure> tcp_gbps;       // one connection, one way
};

}  // namespace jackal::tbdiscovery
