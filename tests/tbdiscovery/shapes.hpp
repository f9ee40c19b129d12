// Cablings that people build.
#pragma once

#include <string>

#include "jackal/tbdiscovery/plan.hpp"
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

/// Gives every cable the addresses that a plan would.
inline simmac::Cluster set_up(simmac::Cluster cluster) {
  const auto map = build_map(parse(simmac::probes(cluster)));
  std::vector<std::size_t> all(map.cables.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  const auto planned = assign_addresses(map, all).value();
  for (const auto& cable : planned) {
    const Cable& known = map.cables[cable.cable];
    cluster.machines[known.a.node].ports[known.a.port].addresses = {{to_string(cable.ip_a), 30}};
    cluster.machines[known.b.node].ports[known.b.port].addresses = {{to_string(cable.ip_b), 30}};
  }
  return cluster;
}

}  // namespace jackal::tbdiscovery::test
