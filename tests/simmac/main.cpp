// simmac_probes SHAPE DIRECTORY: saves the probes of a made-up cluster, for tests that are not in C++. A
// shape is mesh, ring, wide-ring (two cables a neighbour), chain or old (Thunderbolt 4) and a number of
// machines.
#include <cstdio>
#include <string>

#include "jackal/base/text.hpp"
#include "tbdiscovery/shapes.hpp"

namespace {

using namespace jackal;

std::optional<simmac::Cluster> cluster_of(const std::string& shape, std::size_t count) {
  using namespace tbdiscovery::test;
  if (shape == "mesh") return mesh_of(count);
  if (shape == "ring") return ring_of(count, 1);
  if (shape == "wide-ring") return ring_of(count, 2);
  simmac::Cluster cluster = machines(count);
  if (shape == "old") {
    for (std::size_t i = 0; i < count; ++i) {
      cluster.machines[i] = simmac::mini_m4(cluster.machines[i].name, cluster.machines[i].lan_ip);
    }
  } else if (shape != "chain") {
    return std::nullopt;
  }
  for (std::size_t i = 0; i + 1 < count; ++i) join(cluster, i, i + 1);
  return cluster;
}

}  // namespace

int main(int argc, char** argv) {
  const auto count = argc == 4 ? parse_integer<std::size_t>(argv[2]) : std::nullopt;
  const auto cluster = count ? cluster_of(argv[1], *count) : std::nullopt;
  if (!cluster) {
    std::fprintf(stderr, "usage: simmac_probes mesh|ring|wide-ring|chain|old MACHINES DIRECTORY\n");
    return 64;
  }
  const auto written = tbdiscovery::write_probes(argv[3], simmac::probes(*cluster));
  if (!written) std::fprintf(stderr, "%s\n", written.error().text().c_str());
  return written ? 0 : 74;
}
