#include "jackal/tbdiscovery/map.hpp"

#include <random>
#include <set>

#include "simmac/cluster.hpp"
#include "support/catch.hpp"
#include "support/rounds.hpp"
#include "tbdiscovery/fixtures.hpp"
#include "tbdiscovery/random_cluster.hpp"
#include "tbdiscovery/shapes.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;
namespace sim = jackal::simmac;

namespace {

ClusterMap map_of(const sim::Cluster& cluster) { return build_map(parse(sim::probes(cluster))); }

NodeReport pasted(const std::string& node, const std::string& capture) {
  return parse(probes_of(
      node, {{"system_profiler.json", fixture("system_profiler_json/" + capture)},
             {"hardware_ports.txt", fixture("networksetup/mbp-m5max-en1-en6-en2-bridge-present.txt")}}));
}

/// "a2-b2 40 Hub" for every cable, as they were put in.
std::multiset<std::string> cabled(const sim::Cluster& cluster) {
  std::multiset<std::string> all;
  for (const auto& cable : cluster.cables) {
    auto a = cluster.machines[cable.a.machine].name +
             cluster.machines[cable.a.machine].ports[cable.a.port].receptacle;
    auto b = cluster.machines[cable.b.machine].name +
             cluster.machines[cable.b.machine].ports[cable.b.port].receptacle;
    if (cable.b.machine < cable.a.machine) std::swap(a, b);
    all.insert(a + "-" + b + (cable.hubs.empty() ? "" : " " + cable.hubs[0]));
  }
  return all;
}

std::multiset<std::string> mapped(const ClusterMap& map) {
  std::multiset<std::string> all;
  for (const auto& cable : map.cables) {
    all.insert(map.node(cable.a).name() + map.port(cable.a).receptacle + "-" + map.node(cable.b).name() +
               map.port(cable.b).receptacle + (cable.through.empty() ? "" : " " + cable.through[0]));
  }
  return all;
}

}  // namespace

TEST_CASE("two pasted outputs of two real machines show their cable") {
  const auto map = build_map({pasted("left", "mbp-m5max-local-rdma-off-dock-and-peer.json"),
                              pasted("right", "mbp-m5max-peer-rdma-on-tb3drive-and-peer.json")});
  REQUIRE(map.cables.size() == 1);
  const Cable& cable = map.cables[0];
  CHECK(describe(map, cable) == "left port 2 – right port 2");
  CHECK(map.port(cable.a).interface == "en6");
  CHECK(cable.gbps == 80);
  CHECK(cable.seen_by_a);
  CHECK(cable.seen_by_b);
  CHECK(cable.a_offers_rdma == false);
  CHECK(cable.b_offers_rdma == true);
  CHECK(map.nodes[0].rdma == Rdma::disabled);
  CHECK(map.nodes[1].rdma == Rdma::enabled);
  CHECK(map.nodes[0].report.model == "Mac17,6");
  CHECK(rdma_obstacle(map, cable) == "RDMA is disabled on left");
  CHECK(tcp_obstacle(map, cable).empty());
  for (const auto& port : map.nodes[1].ports) CHECK(port.generation == Generation::thunderbolt5);
  REQUIRE(map.attachments.size() == 2);
  CHECK(map.attachments[0].name == "SB-XTM5");
  CHECK(describe(map, map.attachments[0].port) == "left port 3");
  CHECK(map.strangers.empty());
}

TEST_CASE("one of them alone shows a machine that nobody listed") {
  const auto map = build_map({pasted("left", "mbp-m5max-local-rdma-off-dock-and-peer.json")});
  CHECK(map.cables.empty());
  REQUIRE(map.strangers.size() == 1);
  CHECK(map.strangers[0].model == "Mac17,6");
  CHECK(describe(map, map.strangers[0].port) == "left port 2");
}

TEST_CASE("interfaces and RDMA devices are joined by name, not by position") {
  sim::Cluster cluster{
      {sim::macbook("a", "10.0.0.1"), sim::studio("b", "10.0.0.2")}, {{{0, 1}, {1, 3}, 80, {}}}, {}};
  const auto map = map_of(cluster);
  REQUIRE(map.cables.size() == 1);
  CHECK(map.port(map.cables[0].a).rdma_device == "rdma_en6");
  CHECK(map.port(map.cables[0].b).rdma_device == "rdma_en5");
  CHECK(map.port(map.cables[0].a).rdma_listed == true);
  CHECK(map.port(map.cables[0].a).rdma_state == PortState::active);
  CHECK(map.nodes[0].ports[0].rdma_state == PortState::down);
  CHECK(rdma_obstacle(map, map.cables[0]).empty());
}

TEST_CASE("what cannot be the name of an interface is none: it would stand in a script of root's") {
  auto probes = sim::probes(mesh_of(2));
  auto& table = probes[0].files["hardware_ports.txt"].bytes;
  const auto device = table.find("Device: en2\n");
  for (const auto* name : {"en2;reboot", "-a", "en2 down", "en2`id`", "en2</string>", "an-interface-name"}) {
    INFO(name);
    auto changed = probes;
    changed[0].files["hardware_ports.txt"].bytes.replace(device + 8, 3, name);
    CHECK(build_map(parse(changed)).nodes[0].ports[0].interface.empty());
  }
  table.replace(device + 8, 3, "thunderbolt0.2");
  CHECK(build_map(parse(probes)).nodes[0].ports[0].interface == "thunderbolt0.2");
}

TEST_CASE("a machine behind hubs is cabled to both, whoever sees the hub") {
  sim::Cluster cluster{{sim::studio("a", "10.0.0.1"), sim::studio("b", "10.0.0.2")},
                       {{{1, 0}, {0, 5}, 40, {"Hub", "Dock"}}},
                       {}};
  const auto map = map_of(cluster);
  REQUIRE(map.cables.size() == 1);
  CHECK(describe(map, map.cables[0]) == "a port 6 – b port 1");
  CHECK(map.cables[0].through == std::vector<std::string>{"Dock", "Hub"});
  CHECK(map.cables[0].gbps == 40);
  CHECK(rdma_obstacle(map, map.cables[0]) == "it passes through Dock, Hub");
}

TEST_CASE("a cable is known from one end alone") {
  sim::Cluster cluster{
      {sim::studio("a", "10.0.0.1"), sim::studio("b", "10.0.0.2")}, {{{0, 1}, {1, 2}, 80, {}}}, {}};
  auto reports = parse(sim::probes(cluster));
  for (auto& bus : *reports[1].buses) bus.devices.clear();
  auto map = build_map(reports);
  REQUIRE(map.cables.size() == 1);
  CHECK(describe(map, map.cables[0]) == "a port 2 – b port 3");
  CHECK(!map.cables[0].seen_by_b);

  reports = parse(sim::probes(cluster));
  for (auto& bus : *reports[0].buses) bus.domain_uuid.clear();
  map = build_map(reports);
  REQUIRE(map.cables.size() == 1);
  CHECK(map.cables[0].seen_by_a);
  CHECK(map.strangers.empty());
}

TEST_CASE("port generations: what a free port, the model or a neighbour's view tells") {
  sim::Cluster cluster{
      {sim::mini_m4("mini", "10.0.0.1"), sim::studio("studio", "10.0.0.2")}, {{{0, 2}, {1, 0}, 40, {}}}, {}};
  auto reports = parse(sim::probes(cluster));
  auto map = build_map(reports);
  CHECK(map.port(map.cables[0].a).generation == Generation::thunderbolt4);
  CHECK(map.port(map.cables[0].b).generation == Generation::thunderbolt5);
  CHECK(map.port(map.cables[0].a).interface == "en4");
  CHECK(map.nodes[0].rdma == Rdma::unsupported);
  CHECK(map.nodes[1].rdma == Rdma::enabled);

  for (auto& report : reports) report.model.clear();
  reports[1].buses->erase(reports[1].buses->begin(),
                          reports[1].buses->end() - 1);  // only the linked port is left
  map = build_map(reports);
  CHECK(map.nodes[1].report.model == "Mac15,14");
  CHECK(map.nodes[1].ports.at(0).generation == Generation::thunderbolt5);
}

TEST_CASE("the same machine under two names is noticed") {
  sim::Cluster cluster{{sim::studio("a", "10.0.0.1")}, {}, {}};
  auto reports = parse(sim::probes(cluster));
  reports.push_back(reports[0]);
  CHECK(build_map(reports).same_machine == std::vector<std::pair<std::size_t, std::size_t>>{{0, 1}});
}

TEST_CASE("property: what is mapped is what was cabled") {
  for (unsigned seed = 0; seed < support::rounds(400); ++seed) {
    INFO("seed " << seed);
    const auto cluster = random_cluster(seed);
    auto probes = sim::probes(cluster);
    for (std::size_t i = 0; i < probes.size(); ++i) {
      if ((seed + i) % 3 != 0) continue;
      probes[i].files.erase("system_profiler.json");
      probes[i].files["system_profiler.txt"].bytes = sim::system_profiler_text(cluster, i);
    }
    const auto map = build_map(parse(probes));
    REQUIRE(mapped(map) == cabled(cluster));
    REQUIRE(map.strangers.size() == cluster.strangers.size());
    for (const auto& node : map.nodes) REQUIRE(node.report.findings.empty());
    for (const auto& cable : map.cables) {
      REQUIRE(cable.seen_by_a);
      REQUIRE(cable.seen_by_b);
    }
  }
}
