#include "jackal/tbdiscovery/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "plan_parts.hpp"

namespace jackal::tbdiscovery {
namespace {

using hostfile::Backend;

/// JACCL's ring opens at most this many connections a neighbour.
constexpr std::size_t kJacclRingWidth = 4;

Error no_plan(std::string what, std::string hint) {
  return {ErrorCode::bad_input, "", std::move(what), std::move(hint)};
}

std::vector<std::size_t> mapped(const Links& links, const std::vector<std::size_t>& places) {
  std::vector<std::size_t> nodes;
  for (const auto place : places) nodes.push_back(links.nodes()[place]);
  return nodes;
}

std::string cables_text(std::size_t width) {
  return width == 1 ? "one cable" : fmt::format("{} cables", width);
}

class Planner {
public:
  Planner(const ClusterMap& map, const Request& request, std::vector<std::size_t> nodes)
      : map_(map), request_(request), rdma_(map, Use::rdma, nodes), tcp_(map, Use::tcp, nodes) {}

  const Links& links_for(const Choice& choice) const {
    return choice.backend == Backend::jaccl || choice.backend == Backend::jaccl_ring ? rdma_ : tcp_;
  }

  Result<Choice> choose() const {
    if (size() == 1) return alone();
    if (request_.over == Over::ethernet) return ethernet();
    if (!request_.backend) return best();
    switch (*request_.backend) {
      case Backend::jaccl:
        return or_error(mesh(), [&] { return mesh_error(); });
      case Backend::jaccl_ring:
        return or_error(ring(Backend::jaccl_ring), [&] { return ring_error(rdma_); });
      case Backend::ring:
        return or_error(ring(Backend::ring), [&] { return ring_error(tcp_); });
      case Backend::jackal:
        return or_error(fabric(), [&] { return fabric_error(); });
      case Backend::mpi:
      case Backend::nccl:
        break;
    }
    return fail({ErrorCode::usage, "--backend",
                 fmt::format("{} does not use Thunderbolt cables", hostfile::to_string(*request_.backend)),
                 "Add --over ethernet, or choose jaccl, jaccl-ring, ring or jackal."});
  }

private:
  std::size_t size() const { return tcp_.nodes().size(); }

  template <class MakeError>
  static Result<Choice> or_error(std::optional<Choice> choice, MakeError make_error) {
    if (choice) return *choice;
    return fail(make_error());
  }

  Choice alone() const {
    const auto backend = request_.backend.value_or(Backend::ring);
    return {backend, Topology::single, tcp_.nodes(), 0, "there is one machine, so there is nothing to join"};
  }

  Result<Choice> ethernet() const {
    if (request_.wants_rdma()) {
      return fail({ErrorCode::usage, "--backend",
                   "jaccl needs RDMA, which Ethernet between Macs does not have",
                   "Use --backend ring over Ethernet, or --over thunderbolt."});
    }
    return Choice{request_.backend.value_or(Backend::ring), Topology::ethernet, tcp_.nodes(), 0,
                  "Ethernet was asked for: every machine reaches every other over its network address"};
  }

  /// With the same hosts, a mesh beats a ring and RDMA beats TCP; more hosts beat both.
  Result<Choice> best() const {
    std::optional<Choice> best;
    for (auto& choice : {mesh(), ring(Backend::jaccl_ring), ring(Backend::ring)}) {
      if (choice && (!best || choice->ranks.size() > best->ranks.size())) best = choice;
    }
    if (best) return *best;
    return fail(
        no_plan(fmt::format("the cables form neither a mesh nor a ring: {}", ring_obstacles(map_, tcp_)),
                other_ways()));
  }

  std::optional<Choice> mesh() const {
    auto places = largest_clique(rdma_.weights());
    if (!acceptable(places.size())) return std::nullopt;
    return Choice{
        Backend::jaccl, Topology::mesh, mapped(rdma_, places), 0,
        fmt::format("every two of the {} machines share a cable that RDMA can use, so jaccl joins them in a "
                    "mesh: each message takes one hop",
                    places.size())};
  }

  std::optional<Choice> ring(Backend backend) const {
    const bool rdma = backend == Backend::jaccl_ring;
    const Links& links = rdma ? rdma_ : tcp_;
    const Ring ring = find_ring(links.weights());
    if (!acceptable(ring.order.size())) return std::nullopt;
    auto width = Links::cables_in(ring.thinnest);
    if (rdma) width = std::min(width, kJacclRingWidth);
    auto reason = fmt::format("a ring of {} between neighbours leads through the {} machines, and {}",
                              cables_text(width), ring.order.size(),
                              rdma ? "RDMA can use it, so jaccl-ring goes around it" : "TCP goes around it");
    if (!rdma) {
      const auto why = rdma_obstacles(map_, links.nodes());
      if (!why.empty()) reason += fmt::format(" (not RDMA: {})", why);
    }
    return Choice{backend, Topology::ring,    mapped(links, ring.order),
                  width,   std::move(reason), RingSearch{ring.proven, ring.upper_bound}};
  }

  std::optional<Choice> fabric() const {
    auto places = tcp_.largest_component();
    if (!acceptable(places.size())) return std::nullopt;
    Choice choice{Backend::jackal, Topology::fabric, {}, 0, ""};
    const Ring ring = find_ring(tcp_.weights());
    const bool ring_of_all = ring.order.size() == places.size() && places.size() > 2;
    choice.ranks = mapped(tcp_, ring_of_all ? ring.order : walk(places));
    choice.reason = fmt::format(
        "the cables connect all {} machines, and jackal uses every one of them; machines without "
        "a cable between them are reached through others",
        places.size());
    return choice;
  }

  /// Depth first, so that neighbours in rank are neighbours in cable where that can be; a chain from its end.
  std::vector<std::size_t> walk(const std::vector<std::size_t>& places) const {
    const auto neighbours = [&](std::size_t place) {
      const auto& row = tcp_.weights()[place];
      return std::count_if(row.begin(), row.end(), [](int weight) { return weight > 0; });
    };
    const bool chain =
        std::all_of(places.begin(), places.end(), [&](auto place) { return neighbours(place) <= 2; });
    auto start = places.front();
    if (chain)
      start = *std::find_if(places.begin(), places.end(), [&](auto place) { return neighbours(place) <= 1; });
    std::vector<std::size_t> order;
    visit(start, order);
    return order;
  }

  void visit(std::size_t place, std::vector<std::size_t>& order) const {
    order.push_back(place);
    for (std::size_t next = 0; next < size(); ++next) {
      const bool met = std::find(order.begin(), order.end(), next) != order.end();
      if (!met && tcp_.weights()[place][next] > 0) visit(next, order);
    }
  }

  /// Whether a topology of this many machines may be a plan at all.
  bool acceptable(std::size_t machines) const {
    return machines == size() || (request_.allow_subset && machines >= 2);
  }

  std::string other_ways() const {
    std::vector<std::string> ways;
    if (const auto advice = mesh_advice(map_, tcp_); !advice.empty()) ways.push_back(advice);
    if (request_.backend != Backend::jackal && tcp_.connected()) {
      ways.push_back("--backend jackal uses this cabling as it is, for programs of Jackal's own library");
    }
    if (request_.wants_rdma() && find_ring(tcp_.weights()).order.size() == size()) {
      ways.push_back("--backend ring goes over these cables with TCP");
    }
    if (!request_.allow_subset) ways.push_back("--allow-subset plans for the machines that can be joined");
    ways.push_back("--over ethernet needs no cables");
    return fmt::format("Ways on: {}.", fmt::join(ways, "; "));
  }

  Error mesh_error() const {
    return no_plan(fmt::format("no mesh: {}", mesh_obstacles(map_, rdma_)), other_ways());
  }

  Error ring_error(const Links& links) const {
    auto what = ring_obstacles(map_, links);
    const auto why = &links == &rdma_ ? rdma_obstacles(map_, links.nodes()) : std::string();
    if (!why.empty()) what += fmt::format(" ({})", why);
    return no_plan(std::move(what), other_ways());
  }

  Error fabric_error() const {
    const auto part = mapped(tcp_, tcp_.largest_component());
    std::vector<std::size_t> rest;
    for (const auto node : tcp_.nodes()) {
      if (std::find(part.begin(), part.end(), node) == part.end()) rest.push_back(node);
    }
    return no_plan(fmt::format("no usable cable joins {} to {}", names_of(map_, rest), names_of(map_, part)),
                   other_ways());
  }

  const ClusterMap& map_;
  const Request& request_;
  Links rdma_;
  Links tcp_;
};

/// The nodes that can be planned for, or why the person's list cannot be kept.
Result<std::vector<std::size_t>> plannable(const ClusterMap& map, const Request& request) {
  std::vector<std::size_t> nodes;
  for (std::size_t i = 0; i < map.nodes.size(); ++i) {
    const auto& failure = map.nodes[i].report.failure;
    if (!failure)
      nodes.push_back(i);
    else if (!request.allow_subset)
      return fail(*failure);
  }
  if (!map.same_machine.empty()) {
    const auto [first, second] = map.same_machine.front();
    return fail(
        {ErrorCode::bad_input, "",
         fmt::format("{} and {} are the same machine", map.nodes[first].name(), map.nodes[second].name()),
         "Name it once; for several ranks on it use launch -n."});
  }
  if (nodes.empty())
    return fail(no_plan("there is no machine to plan for", "Name the machines with --hosts."));
  return nodes;
}

void add_notes(const ClusterMap& map, const Choice& choice, const Links& links, Plan& plan) {
  if (!plan.left_out.empty()) plan.notes.push_back(fmt::format("left out: {}", names_of(map, plan.left_out)));
  if (choice.topology == Topology::ring) {
    if (auto advice = mesh_advice(map, links); !advice.empty()) plan.notes.push_back(std::move(advice));
  }
  const bool doubled = std::any_of(plan.cables.begin(), plan.cables.end(), [&](const PlannedCable& cable) {
    const Cable& known = map.cables[cable.cable];
    return cables_between(map, known.a.node, known.b.node).size() > 1;
  });
  if (choice.topology == Topology::mesh && doubled) {
    plan.notes.push_back("JACCL's mesh uses the first cable of each pair; --backend jaccl-ring uses several");
  }
  std::vector<std::string> unused;
  const bool cables = choice.topology != Topology::single && choice.topology != Topology::ethernet;
  for (std::size_t i = 0; cables && i < map.cables.size(); ++i) {
    const bool used =
        std::any_of(plan.cables.begin(), plan.cables.end(), [&](const auto& p) { return p.cable == i; });
    if (!used) unused.push_back(describe(map, map.cables[i]));
  }
  if (!unused.empty())
    plan.notes.push_back(fmt::format("not used by this plan: {}", fmt::join(unused, ", ")));
  std::vector<std::string> blind;
  for (const auto node : plan.ranks) {
    if (!map.nodes[node].report.routes) blind.push_back(map.nodes[node].name());
  }
  if (cables && !blind.empty()) {
    plan.notes.push_back(
        fmt::format("the routes of {} are not known, so the addresses may collide there", listed(blind)));
  }
  const bool ring_over_tcp = choice.topology == Topology::ring && choice.backend == Backend::ring;
  if (!ring_over_tcp && plan.hostfile.hosts.front().ips.empty()) {
    plan.notes.push_back(fmt::format("no network address of {} is known; add one to its \"ips\"",
                                     map.nodes[plan.ranks.front()].name()));
  }
}

}  // namespace

std::string_view to_string(Topology topology) {
  switch (topology) {
    case Topology::single:
      return "single";
    case Topology::mesh:
      return "mesh";
    case Topology::ring:
      return "ring";
    case Topology::fabric:
      return "fabric";
    case Topology::ethernet:
      return "ethernet";
  }
  return "";
}

Result<Plan> make_plan(const ClusterMap& map, const Request& request) {
  auto nodes = plannable(map, request);
  if (!nodes) return fail(nodes.error());
  const Planner planner(map, request, *nodes);
  const auto choice = planner.choose();
  if (!choice) return fail(choice.error());
  const Links& links = planner.links_for(*choice);
  std::vector<std::size_t> cables;
  for (std::size_t r = 0; r < choice->ranks.size(); ++r) {
    for (std::size_t s = r + 1; s < choice->ranks.size(); ++s) {
      const auto used = cables_used(*choice, links, r, s);
      cables.insert(cables.end(), used.begin(), used.end());
    }
  }
  std::sort(cables.begin(), cables.end());
  auto addressed = assign_addresses(map, cables);
  if (!addressed) return fail(addressed.error());
  Plan plan;
  plan.backend = choice->backend;
  plan.topology = choice->topology;
  plan.ranks = choice->ranks;
  plan.reason = choice->reason;
  plan.search = choice->search;
  plan.cables = std::move(*addressed);
  for (auto& cable : plan.cables) {
    cable.rdma = choice->backend != Backend::ring && rdma_obstacle(map, map.cables[cable.cable]).empty();
  }
  for (std::size_t i = 0; i < map.nodes.size(); ++i) {
    if (std::find(plan.ranks.begin(), plan.ranks.end(), i) == plan.ranks.end()) plan.left_out.push_back(i);
  }
  fill_hostfile(map, request, *choice, links, plan);
  add_notes(map, *choice, links, plan);
  return plan;
}

}  // namespace jackal::tbdiscovery
