// Fabrics for tests of schedules.
#pragma once

#include <utility>
#include <vector>

#include "fabric/fabric.hpp"

namespace graphs {

using Links = std::vector<std::pair<int, int>>;

/// Alike links with that many cables each; every rank on its own host with four cores.
jackal::collectives::Fabric fabric(int ranks, const Links& links, int cables = 1);

Links complete(int ranks);
Links ring(int ranks);
Links chain(int ranks);
Links star(int ranks);  // rank 1 in the middle

/// Every connected graph of that many nodes (at most 6), one of each shape.
std::vector<Links> connected_shapes(int ranks);
/// The same in every numbering.
std::vector<Links> connected_graphs(int ranks);

}  // namespace graphs
