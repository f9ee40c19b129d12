// The words around a plan: what is missing, what is in the way.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "jackal/tbdiscovery/problems.hpp"
#include "plan_parts.hpp"

namespace jackal::tbdiscovery {
namespace {

constexpr std::size_t kMostNamed = 3;

std::string pair_name(const ClusterMap& map, std::size_t a, std::size_t b) {
  return fmt::format("{} and {}", map.nodes[a].name(), map.nodes[b].name());
}

/// Why the cables between two nodes cannot be used, or that there are none.
std::string pair_obstacle(const ClusterMap& map, std::size_t a, std::size_t b) {
  const auto cables = cables_between(map, a, b);
  if (cables.empty()) return fmt::format("no cable joins {}", pair_name(map, a, b));
  const Cable& cable = map.cables[cables.front()];
  const auto why = rdma_obstacle(map, cable);
  return fmt::format("RDMA cannot use the cable {}: {}", describe(map, cable),
                     why.empty() ? "its port is shared with another cable" : why);
}

}  // namespace

std::string describe(const RingSearch& search) {
  if (search.proven)
    return "proven best: no ring is longer, and none as long is thicker where it is thinnest";
  return fmt::format("not proven best: the search was cut short; no ring is longer than {} machines",
                     search.upper_bound);
}

std::string listed(const std::vector<std::string>& names) {
  if (names.size() < 2) return names.empty() ? "" : names.front();
  const std::vector<std::string> front(names.begin(), names.end() - 1);
  return fmt::format("{} and {}", fmt::join(front, ", "), names.back());
}

std::string names_of(const ClusterMap& map, const std::vector<std::size_t>& nodes) {
  std::vector<std::string> names;
  for (const auto node : nodes) names.push_back(map.nodes[node].name());
  return listed(names);
}

std::string mesh_obstacles(const ClusterMap& map, const Links& links) {
  std::vector<std::string> reasons;
  std::size_t missing = 0;
  for (std::size_t i = 0; i < links.nodes().size(); ++i) {
    for (std::size_t j = i + 1; j < links.nodes().size(); ++j) {
      if (!links.between(i, j).empty()) continue;
      ++missing;
      if (reasons.size() < kMostNamed)
        reasons.push_back(pair_obstacle(map, links.nodes()[i], links.nodes()[j]));
    }
  }
  if (missing > reasons.size()) reasons.push_back(fmt::format("and {} pairs more", missing - reasons.size()));
  return fmt::format("{}", fmt::join(reasons, "; "));
}

std::string ring_obstacles(const ClusterMap& map, const Links& links) {
  const Ring ring = find_ring(links.weights());
  std::vector<std::size_t> inside;
  for (const auto i : ring.order) inside.push_back(links.nodes()[i]);
  std::vector<std::size_t> outside;
  for (const auto node : links.nodes()) {
    if (std::find(inside.begin(), inside.end(), node) == inside.end()) outside.push_back(node);
  }
  if (inside.size() < 3) return fmt::format("no ring leads through {}", names_of(map, links.nodes()));
  return fmt::format("the longest ring {} {} and leaves out {}", ring.proven ? "joins" : "found joins",
                     names_of(map, inside), names_of(map, outside));
}

std::string mesh_advice(const ClusterMap& map, const Links& links) {
  std::vector<std::string> joins;
  std::vector<End> taken;
  std::size_t missing = 0;
  for (std::size_t i = 0; i < links.nodes().size(); ++i) {
    for (std::size_t j = i + 1; j < links.nodes().size(); ++j) {
      const auto a = links.nodes()[i];
      const auto b = links.nodes()[j];
      if (!cables_between(map, a, b).empty()) continue;
      ++missing;
      const auto ports = free_ports(map, a, b, taken);
      if (!ports.a || !ports.b) return {};
      taken.push_back({a, *ports.a});
      taken.push_back({b, *ports.b});
      joins.push_back(
          fmt::format("{} and {}", describe(map, End{a, *ports.a}), describe(map, End{b, *ports.b})));
    }
  }
  if (missing == 0) return {};
  const auto more =
      joins.size() > kMostNamed ? fmt::format(", and {} pairs more", joins.size() - kMostNamed) : "";
  joins.resize(std::min(joins.size(), kMostNamed));
  return fmt::format("for a mesh, join {}{}", fmt::join(joins, "; "), more);
}

std::string rdma_obstacles(const ClusterMap& map, const std::vector<std::size_t>& nodes) {
  std::set<std::string> reasons;
  const auto among = [&](std::size_t node) {
    return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
  };
  for (const auto& cable : map.cables) {
    if (cable.a.node == cable.b.node || !among(cable.a.node) || !among(cable.b.node)) continue;
    if (auto why = rdma_obstacle(map, cable); !why.empty()) reasons.insert(std::move(why));
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

}  // namespace jackal::tbdiscovery
