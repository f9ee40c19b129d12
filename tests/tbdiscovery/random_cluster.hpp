// Cablings nobody would think of: up to twelve Macs of three kinds, cables between any free ports, some
// through hubs, some of them several a pair, drives and unlisted machines on what is left.
#pragma once

#include <algorithm>
#include <random>

#include "simmac/cluster.hpp"

namespace jackal::tbdiscovery::test {

inline simmac::Cluster random_cluster(unsigned seed, std::size_t most_machines = 12) {
  std::mt19937 random(seed);
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  simmac::Cluster cluster;
  const auto count = 1 + below(most_machines);
  std::vector<simmac::Plug> free;
  for (std::size_t i = 0; i < count; ++i) {
    const auto name = std::string(1, static_cast<char>('a' + i));
    const auto ip = "10.0.0." + std::to_string(i + 1);
    const auto kind = below(8);
    cluster.machines.push_back(kind == 0   ? simmac::mini_m4(name, ip)
                               : kind == 1 ? simmac::macbook(name, ip)
                                           : simmac::studio(name, ip));
    cluster.machines.back().bridge = below(3) == 0;
    for (std::size_t port = 0; port < cluster.machines.back().ports.size(); ++port) {
      cluster.machines.back().ports[port].in_bridge = cluster.machines.back().bridge && below(2) == 0;
      free.push_back({i, port});
    }
  }
  std::shuffle(free.begin(), free.end(), random);
  auto wanted = below(free.size() / 2 + 1);
  for (std::size_t i = 0; i + 1 < free.size() && wanted > 0;) {
    const auto partner = std::find_if(free.begin() + static_cast<std::ptrdiff_t>(i) + 1, free.end(),
                                      [&](const auto& plug) { return plug.machine != free[i].machine; });
    if (partner == free.end()) {
      ++i;
      continue;
    }
    simmac::Cable cable{free[i], *partner, 80, {}};
    const bool slow =
        cluster.machines[cable.a.machine].generation < 5 || cluster.machines[cable.b.machine].generation < 5;
    if (below(6) == 0) cable.hubs = {"Hub " + std::to_string(below(3))};
    if (slow || !cable.hubs.empty()) cable.gbps = 40;
    cluster.cables.push_back(cable);
    free.erase(partner);
    free.erase(free.begin() + static_cast<std::ptrdiff_t>(i));
    --wanted;
  }
  for (const auto& plug : free) {
    if (below(12) == 0)
      cluster.strangers.push_back(plug);
    else if (below(8) == 0)
      cluster.machines[plug.machine].ports[plug.port].drive = "PRO-G40";
  }
  return cluster;
}

}  // namespace jackal::tbdiscovery::test
