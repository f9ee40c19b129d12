// Cablings that people build.
#pragma once

#include <string>

#include "simmac/cluster.hpp"

namespace jackal::tbdiscovery::test {

/// m1 … mN: Mac Studios without cables.
inline simmac::Cluster machines(std::size_t count) {
  simmac::Cluster cluster;
  for (std::size_t i = 1; i <= count; ++i) {
    cluster.machines.push_back(simmac::studio("m" + std::to_string(i), "10.0.0." + std::to_string(i)));
  }
  return cluster;
}

/// A cable between the first free port of each.
inline void join(simmac::Cluster& cluster, std::size_t a, std::size_t b) {
  const auto free = [&](std::size_t machine) {
    for (std::size_t port = 0;; ++port) {
      bool used = false;
      for (const auto& cable : cluster.cables) {
        used = used || (cable.a.machine == machine && cable.a.port == port) ||
               (cable.b.machine == machine && cable.b.port == port);
      }
      if (!used) return port;
    }
  };
  cluster.cables.push_back({{a, free(a)}, {b, free(b)}, 80, {}});
}

inline simmac::Cluster mesh_of(std::size_t count) {
  auto cluster = machines(count);
  for (std::size_t a = 0; a < count; ++a) {
    for (std::size_t b = a + 1; b < count; ++b) join(cluster, a, b);
  }
  return cluster;
}

inline simmac::Cluster ring_of(std::size_t count, std::size_t width) {
  auto cluster = machines(count);
  for (std::size_t a = 0; a < count; ++a) {
    for (std::size_t k = 0; k < width; ++k) join(cluster, a, (a + 1) % count);
  }
  return cluster;
}

}  // namespace jackal::tbdiscovery::test
