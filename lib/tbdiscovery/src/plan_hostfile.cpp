// The host file of a plan: one entry a rank, and for every pair the same cables in the same order on both
// sides.
#include <algorithm>

#include "plan_parts.hpp"

namespace jackal::tbdiscovery {
namespace {

using hostfile::Backend;

std::size_t place_of(const Links& links, std::size_t node) {
  return static_cast<std::size_t>(std::find(links.nodes().begin(), links.nodes().end(), node) -
                                  links.nodes().begin());
}

bool ring_neighbours(std::size_t r, std::size_t s, std::size_t size) {
  return (r + 1) % size == s || (s + 1) % size == r;
}

hostfile::Link link_of(const ClusterMap& map, const PlannedCable& planned, std::size_t node) {
  const Cable& cable = map.cables[planned.cable];
  const bool is_a = cable.a.node == node;
  const Port& port = map.port(is_a ? cable.a : cable.b);
  hostfile::Link link;
  link.ip = to_string(is_a ? planned.ip_a : planned.ip_b);
  link.peer_ip = to_string(is_a ? planned.ip_b : planned.ip_a);
  link.interface = port.interface;
  if (planned.rdma) link.rdma = port.rdma_device;
  link.receptacle = port.receptacle;
  link.domain_uuid = port.domain_uuid;
  return link;
}

const PlannedCable& planned_cable(const Plan& plan, std::size_t cable) {
  return *std::find_if(plan.cables.begin(), plan.cables.end(),
                       [&](const PlannedCable& planned) { return planned.cable == cable; });
}

/// Ring: the addresses at which the rank before reaches this one. Otherwise the way in from the LAN.
std::vector<std::string> ips_of(const ClusterMap& map, const Choice& choice, const Plan& plan,
                                const hostfile::Host& host, std::size_t rank) {
  std::vector<std::string> ips;
  if (choice.topology == Topology::ring && choice.backend == Backend::ring) {
    const auto before = (rank + choice.ranks.size() - 1) % choice.ranks.size();
    for (const auto& link : host.links[before]) ips.push_back(link.ip);
    return ips;
  }
  const auto candidates = coordinator_candidates(map.nodes[plan.ranks[rank]]);
  if (!candidates.empty()) ips.push_back(to_string(candidates.front()));
  return ips;
}

}  // namespace

std::vector<std::size_t> cables_used(const Choice& choice, const Links& links, std::size_t r, std::size_t s) {
  if (r == s || choice.topology == Topology::single || choice.topology == Topology::ethernet) return {};
  if (choice.topology == Topology::ring && !ring_neighbours(r, s, choice.ranks.size())) return {};
  auto cables = links.between(place_of(links, choice.ranks[r]), place_of(links, choice.ranks[s]));
  if (choice.width != 0 && cables.size() > choice.width) cables.resize(choice.width);
  return cables;
}

void fill_hostfile(const ClusterMap& map, const Request& request, const Choice& choice, const Links& links,
                   Plan& plan) {
  plan.hostfile.backend = choice.backend;
  plan.hostfile.envs = request.envs;
  const bool over_cables = choice.topology != Topology::single && choice.topology != Topology::ethernet;
  const bool matrix =
      choice.backend == Backend::jaccl || choice.backend == Backend::jaccl_ring ||
      (choice.backend == Backend::jackal &&
       std::any_of(plan.cables.begin(), plan.cables.end(), [](const auto& cable) { return cable.rdma; }));
  for (std::size_t r = 0; r < choice.ranks.size(); ++r) {
    hostfile::Host host;
    host.ssh = map.nodes[choice.ranks[r]].name();
    for (std::size_t s = 0; over_cables && s < choice.ranks.size(); ++s) {
      host.links.emplace_back();
      std::vector<std::string> devices;
      for (const auto cable : cables_used(choice, links, r, s)) {
        host.links.back().push_back(link_of(map, planned_cable(plan, cable), choice.ranks[r]));
        const auto& device = host.links.back().back().rdma;
        if (!device.empty()) devices.push_back(device);
      }
      if (matrix) host.rdma.push_back(std::move(devices));
    }
    host.ips = ips_of(map, choice, plan, host, r);
    plan.hostfile.hosts.push_back(std::move(host));
  }
}

}  // namespace jackal::tbdiscovery
