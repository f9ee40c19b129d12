#include "collectives/graphs.hpp"

#include <algorithm>
#include <numeric>

namespace graphs {
namespace {

using jackal::collectives::Fabric;

// A graph as a set of bits, one for each pair of nodes.
std::vector<Links> connected(int ranks, bool one_of_each_shape) {
  const Links pairs = complete(ranks);
  const auto bit = [&pairs](int a, int b) {
    const auto found = std::find(pairs.begin(), pairs.end(), std::pair(std::min(a, b), std::max(a, b)));
    return std::size_t{1} << (found - pairs.begin());
  };
  std::vector<bool> seen(std::size_t{1} << pairs.size(), false);
  std::vector<Links> all;
  for (std::size_t set = 0; set < seen.size(); ++set) {
    if (seen[set]) continue;
    Links links;
    for (std::size_t i = 0; i < pairs.size(); ++i)
      if ((set >> i & 1) != 0) links.push_back(pairs[i]);
    if (!fabric(ranks, links).connected()) continue;
    all.push_back(links);
    std::vector<int> names(static_cast<std::size_t>(ranks));
    std::iota(names.begin(), names.end(), 0);
    while (one_of_each_shape) {
      std::size_t renamed = 0;
      for (const auto& [a, b] : links)
        renamed |= bit(names[static_cast<std::size_t>(a)], names[static_cast<std::size_t>(b)]);
      seen[renamed] = true;
      if (!std::next_permutation(names.begin(), names.end())) break;
    }
  }
  return all;
}

}  // namespace

Fabric fabric(int ranks, const Links& links, int cables) {
  Fabric made;
  made.ranks = ranks;
  made.paths.resize(static_cast<std::size_t>(ranks) * static_cast<std::size_t>(ranks));
  for (const auto& [a, b] : links) {
    for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)})
      made.paths[static_cast<std::size_t>(from) * static_cast<std::size_t>(ranks) +
                 static_cast<std::size_t>(to)] = {cables, 20'000, 125'000, "tcp"};
  }
  made.host_of.resize(static_cast<std::size_t>(ranks));
  std::iota(made.host_of.begin(), made.host_of.end(), 0);
  made.cores_of_host.assign(static_cast<std::size_t>(ranks), 4);
  made.step_ns = 2'000;
  made.copy_bytes_per_ms = 5'000'000;
  made.reduce_bytes_per_ms = 4'000'000;
  return made;
}

Links complete(int ranks) {
  Links links;
  for (int a = 0; a < ranks; ++a)
    for (int b = a + 1; b < ranks; ++b) links.emplace_back(a, b);
  return links;
}

Links ring(int ranks) {
  Links links = chain(ranks);
  if (ranks > 2) links.emplace_back(0, ranks - 1);
  return links;
}

Links chain(int ranks) {
  Links links;
  for (int rank = 1; rank < ranks; ++rank) links.emplace_back(rank - 1, rank);
  return links;
}

Links star(int ranks) {
  Links links;
  for (int rank = 0; rank < ranks; ++rank)
    if (rank != 1) links.emplace_back(std::min(rank, 1), std::max(rank, 1));
  return links;
}

std::vector<Links> connected_shapes(int ranks) { return connected(ranks, true); }

std::vector<Links> connected_graphs(int ranks) { return connected(ranks, false); }

}  // namespace graphs
