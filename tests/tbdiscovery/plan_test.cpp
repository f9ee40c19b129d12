#include "jackal/tbdiscovery/plan.hpp"

#include <algorithm>
#include <set>

#include "jackal/hostfile/reader.hpp"
#include "jackal/hostfile/writer.hpp"
#include "simmac/cluster.hpp"
#include "support/catch.hpp"
#include "support/rounds.hpp"
#include "tbdiscovery/fixtures.hpp"
#include "tbdiscovery/random_cluster.hpp"
#include "tbdiscovery/shapes.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;
using jackal::hostfile::Backend;
namespace sim = jackal::simmac;

namespace {

ClusterMap map_of(const sim::Cluster& cluster) { return build_map(parse(sim::probes(cluster))); }

Request asking(std::optional<Backend> backend) {
  Request request;
  request.backend = backend;
  return request;
}

Plan plan_of(const sim::Cluster& cluster, std::optional<Backend> backend = std::nullopt) {
  auto plan = make_plan(map_of(cluster), asking(backend));
  if (!plan) FAIL(plan.error().text());
  return *plan;
}

std::string order(const ClusterMap& map, const Plan& plan) {
  std::string names;
  for (const auto node : plan.ranks) names += (names.empty() ? "" : " ") + map.nodes[node].name();
  return names;
}

std::string order(const sim::Cluster& cluster, const Plan& plan) { return order(map_of(cluster), plan); }

bool mentions(const std::vector<std::string>& texts, const std::string& part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const auto& text) { return text.find(part) != std::string::npos; });
}

/// What must hold of every plan, whatever the cabling.
void check_valid(const ClusterMap& map, const Plan& plan) {
  const auto& hosts = plan.hostfile.hosts;
  const auto read = jackal::hostfile::parse(to_json(plan.hostfile), "hosts.json");
  if (!read) FAIL(read.error().text());
  REQUIRE(read->hostfile == plan.hostfile);
  REQUIRE(read->warnings.empty());
  REQUIRE(hosts.size() == plan.ranks.size());
  REQUIRE(std::set<std::size_t>(plan.ranks.begin(), plan.ranks.end()).size() == plan.ranks.size());
  for (std::size_t i = 0; i < plan.cables.size(); ++i) {
    const auto& cable = plan.cables[i];
    REQUIRE(cable.network.prefix == 30);
    REQUIRE(contains(cable.network, cable.ip_a));
    REQUIRE(contains(cable.network, cable.ip_b));
    REQUIRE(cable.ip_a != cable.ip_b);
    for (std::size_t j = i + 1; j < plan.cables.size(); ++j) {
      REQUIRE(!overlap(cable.network, plan.cables[j].network));
      for (const End& end : {map.cables[cable.cable].a, map.cables[cable.cable].b}) {
        REQUIRE(end != map.cables[plan.cables[j].cable].a);
        REQUIRE(end != map.cables[plan.cables[j].cable].b);
      }
    }
  }
  for (std::size_t r = 0; r < hosts.size(); ++r) {
    if (hosts[r].links.empty()) continue;
    REQUIRE(hosts[r].links.size() == hosts.size());
    REQUIRE(hosts[r].links[r].empty());
    for (std::size_t s = 0; s < hosts.size(); ++s) {
      const auto& here = hosts[r].links[s];
      const auto& there = hosts[s].links[r];
      REQUIRE(here.size() == there.size());
      for (std::size_t k = 0; k < here.size(); ++k) {
        REQUIRE(here[k].ip == there[k].peer_ip);
        REQUIRE(here[k].peer_ip == there[k].ip);
        // Cable k from one side is cable k from the other: the ports are the two ends of one cable.
        const auto same_cable = std::any_of(map.cables.begin(), map.cables.end(), [&](const Cable& cable) {
          const Port& a = map.port(cable.end_at(plan.ranks[r]));
          const Port& b = map.port(cable.end_beyond(plan.ranks[r]));
          return (cable.a.node == plan.ranks[r] || cable.b.node == plan.ranks[r]) &&
                 a.interface == here[k].interface && a.domain_uuid == here[k].domain_uuid &&
                 b.interface == there[k].interface && b.domain_uuid == there[k].domain_uuid;
        });
        REQUIRE(same_cable);
      }
      if (hosts[r].rdma.empty()) continue;
      std::vector<std::string> devices;
      for (const auto& link : here) {
        if (!link.rdma.empty()) devices.push_back(link.rdma);
      }
      REQUIRE(hosts[r].rdma[s] == devices);
      if (plan.topology == Topology::mesh && r != s) REQUIRE(!devices.empty());
    }
  }
}

}  // namespace

TEST_CASE("four machines in a mesh: the host file a person would write") {
  const auto cluster = mesh_of(4);
  const Plan plan = plan_of(cluster);
  CHECK(plan.backend == Backend::jaccl);
  CHECK(plan.topology == Topology::mesh);
  CHECK(order(cluster, plan) == "m1 m2 m3 m4");
  CHECK(plan.cables.size() == 6);
  CHECK(plan.notes.empty());
  const auto& hosts = plan.hostfile.hosts;
  CHECK(plan.hostfile.backend == Backend::jaccl);
  CHECK(hosts[0].ssh == "m1");
  CHECK(hosts[0].ips == std::vector<std::string>{"10.0.0.1"});
  using Row = std::vector<std::vector<std::string>>;
  CHECK(hosts[0].rdma == Row{{}, {"rdma_en2"}, {"rdma_en3"}, {"rdma_en4"}});
  CHECK(hosts[1].rdma == Row{{"rdma_en2"}, {}, {"rdma_en3"}, {"rdma_en4"}});
  CHECK(hosts[3].rdma == Row{{"rdma_en2"}, {"rdma_en3"}, {"rdma_en4"}, {}});
  const auto& link = hosts[0].links[1][0];
  CHECK(link.ip == "172.31.240.1");
  CHECK(link.peer_ip == "172.31.240.2");
  CHECK(link.interface == "en2");
  CHECK(link.receptacle == "1");
  CHECK(link.domain_uuid == sim::domain_uuid(0, 0));
  check_valid(map_of(cluster), plan);
}

TEST_CASE("rings with one, two and three cables between neighbours") {
  for (std::size_t width = 1; width <= 3; ++width) {
    const auto cluster = ring_of(4, width);
    const Plan plan = plan_of(cluster);
    CHECK(plan.backend == Backend::jaccl_ring);
    CHECK(order(cluster, plan) == "m1 m2 m3 m4");
    CHECK(plan.hostfile.hosts[0].rdma[1].size() == width);
    CHECK(plan.hostfile.hosts[0].rdma[2].empty());
    CHECK(plan.hostfile.hosts[0].rdma[3].size() == width);
    CHECK(plan.cables.size() == 4 * width);
    check_valid(map_of(cluster), plan);
  }
  CHECK(plan_of(ring_of(8, 1)).topology == Topology::ring);
}

TEST_CASE("a ring whose links are unequal is as wide as its thinnest, and says what it leaves") {
  auto cluster = ring_of(3, 2);
  cluster.cables.pop_back();
  const Plan plan = plan_of(cluster, Backend::jaccl_ring);
  for (const auto& host : plan.hostfile.hosts) {
    for (const auto& devices : host.rdma) CHECK(devices.size() <= 1);
  }
  CHECK(plan.cables.size() == 3);
  CHECK(mentions(plan.notes, "not used by this plan: m1 port 2"));
}

TEST_CASE("rank order follows the cables") {
  sim::Cluster cluster = machines(4);
  join(cluster, 0, 2);
  join(cluster, 2, 1);
  join(cluster, 1, 3);
  join(cluster, 3, 0);
  CHECK(order(cluster, plan_of(cluster)) == "m1 m3 m2 m4");
}

TEST_CASE("without RDMA the ring goes over TCP, each machine listening where the one before reaches it") {
  auto cluster = ring_of(3, 2);
  cluster.machines[1].rdma = false;
  const Plan plan = plan_of(cluster);
  CHECK(plan.backend == Backend::ring);
  CHECK(plan.reason.find("RDMA is disabled on m2") != std::string::npos);
  const auto& hosts = plan.hostfile.hosts;
  CHECK(hosts[0].rdma.empty());
  CHECK(hosts[1].ips.size() == 2);
  CHECK(hosts[1].ips[0] == hosts[0].links[1][0].peer_ip);
  CHECK(hosts[1].ips[1] == hosts[0].links[1][1].peer_ip);
  CHECK(hosts[0].ips[0] == hosts[2].links[0][0].peer_ip);
  CHECK(hosts[0].links[1][0].rdma.empty());
  const auto refused = make_plan(map_of(cluster), asking(Backend::jaccl));
  REQUIRE(!refused);
  CHECK(refused.error().what.find("RDMA is disabled on m2") != std::string::npos);
  CHECK(refused.error().hint.find("--backend ring goes over these cables") != std::string::npos);
}

TEST_CASE("two machines with two cables") {
  auto cluster = machines(2);
  join(cluster, 0, 1);
  join(cluster, 0, 1);
  const Plan plan = plan_of(cluster);
  CHECK(plan.backend == Backend::jaccl);
  CHECK(plan.hostfile.hosts[0].rdma[1] == std::vector<std::string>{"rdma_en2", "rdma_en3"});
  CHECK(mentions(plan.notes, "--backend jaccl-ring uses several"));
  const Plan ring = plan_of(cluster, Backend::ring);
  CHECK(ring.hostfile.hosts[0].ips.size() == 2);
  CHECK(ring.hostfile.hosts[0].ips[0] == ring.hostfile.hosts[1].links[0][0].peer_ip);
}

TEST_CASE("a chain is no ring, but jackal uses it") {
  auto cluster = machines(3);
  join(cluster, 0, 2);
  join(cluster, 2, 1);
  const auto none = make_plan(map_of(cluster), {});
  REQUIRE(!none);
  CHECK(none.error().what ==
        "the cables form neither a mesh nor a ring: no ring leads through m1, m2 and m3");
  CHECK(none.error().hint.find("join m1 port 2 and m2 port 2") != std::string::npos);
  CHECK(none.error().hint.find("--backend jackal") != std::string::npos);
  const Plan plan = plan_of(cluster, Backend::jackal);
  CHECK(plan.topology == Topology::fabric);
  CHECK(order(cluster, plan) == "m1 m3 m2");
  CHECK(plan.hostfile.hosts[0].links[2].empty());
  CHECK(plan.hostfile.hosts[0].rdma[1] == std::vector<std::string>{"rdma_en2"});
  CHECK(plan.hostfile.hosts[0].ips == std::vector<std::string>{"10.0.0.1"});
}

TEST_CASE("a star and a partial mesh under jackal start at the machine named first") {
  auto star = machines(4);
  for (std::size_t leaf = 0; leaf < 3; ++leaf) join(star, 3, leaf);
  CHECK(order(star, plan_of(star, Backend::jackal)) == "m1 m4 m2 m3");
}

TEST_CASE("a subset is planned for only when it is allowed") {
  auto cluster = mesh_of(3);
  cluster.machines.push_back(sim::studio("m4", "10.0.0.4"));
  join(cluster, 3, 0);
  Request request;
  CHECK(!make_plan(map_of(cluster), request));
  request.allow_subset = true;
  const auto plan = make_plan(map_of(cluster), request);
  REQUIRE(plan);
  CHECK(order(cluster, *plan) == "m1 m2 m3");
  CHECK(plan->left_out == std::vector<std::size_t>{3});
  CHECK(mentions(plan->notes, "left out: m4"));
}

TEST_CASE("an unreachable machine fails the plan unless a subset is allowed") {
  auto reports = parse(sim::probes(mesh_of(3)));
  reports[1] = {};
  reports[1].node = "m2";
  reports[1].failure = jackal::Error{jackal::ErrorCode::unreachable, "m2", "no route to host", ""};
  const auto map = build_map(reports);
  CHECK(make_plan(map, {}).error().code == jackal::ErrorCode::unreachable);
  Request request;
  request.allow_subset = true;
  CHECK(order(map, make_plan(map, request).value()) == "m1 m3");
}

TEST_CASE("cables through a hub carry TCP, not RDMA") {
  auto cluster = machines(2);
  cluster.cables.push_back({{0, 0}, {1, 0}, 40, {"Hub"}});
  CHECK(plan_of(cluster).backend == Backend::ring);
  CHECK(!make_plan(map_of(cluster), asking(Backend::jaccl_ring)));
}

TEST_CASE("ethernet, one machine, and requests that cannot be met") {
  Request request;
  request.over = Over::ethernet;
  request.envs = {"A=1"};
  const Plan plan = make_plan(map_of(machines(3)), request).value();
  CHECK(plan.topology == Topology::ethernet);
  CHECK(plan.hostfile.backend == Backend::ring);
  CHECK(plan.hostfile.envs == std::vector<std::string>{"A=1"});
  CHECK(plan.hostfile.hosts[2].ips == std::vector<std::string>{"10.0.0.3"});
  CHECK(plan.hostfile.hosts[2].links.empty());
  CHECK(plan.cables.empty());
  request.backend = Backend::jaccl;
  CHECK(make_plan(map_of(machines(3)), request).error().code == jackal::ErrorCode::usage);
  CHECK(make_plan(map_of(mesh_of(3)), asking(Backend::nccl)).error().code == jackal::ErrorCode::usage);
  CHECK(plan_of(machines(1)).topology == Topology::single);
  CHECK(!make_plan(build_map({}), {}));
}

TEST_CASE("addresses keep off every network that any machine knows") {
  auto cluster = mesh_of(3);
  cluster.machines[2].routes = {"172.16/12           link#9             UCS               utun4       ",
                                "10.255.250.7        10.0.0.9           UGHS                en0       "};
  const Plan plan = plan_of(cluster);
  CHECK(to_string(plan.cables[0].network) == "10.255.224.0/30");
  cluster.machines[0].routes = {"10                  link#9             UCS               utun4       "};
  CHECK(to_string(plan_of(cluster).cables[0].network) == "192.168.240.0/30");
  cluster.machines[1].routes = {"192.168.0           link#9             UCS               utun4       ",
                                "192.168/16          link#9             UCS               utun4       "};
  CHECK(make_plan(map_of(cluster), {}).error().what.find("no private network is free") == 0);
}

TEST_CASE("a VPN that takes all traffic leaves the private networks free") {
  auto cluster = mesh_of(3);
  cluster.machines[0].routes = {"0/1                 10.8.0.1          UGSc              utun3       ",
                                "128.0/1             10.8.0.1          UGSc              utun3       "};
  CHECK(to_string(plan_of(cluster).cables[0].network) == "172.31.240.0/30");
}

TEST_CASE("cables that are set up already keep their addresses") {
  auto cluster = mesh_of(3);
  cluster.machines[0].ports[0].addresses = {{"172.31.240.9", 30}};
  cluster.machines[1].ports[0].addresses = {{"172.31.240.10", 30}};
  const Plan plan = plan_of(cluster);
  CHECK(to_string(plan.cables[0].ip_a) == "172.31.240.9");
  CHECK(to_string(plan.cables[0].ip_b) == "172.31.240.10");
  CHECK(to_string(plan.cables[1].network) == "172.31.240.0/30");
  CHECK(to_string(plan.cables[2].network) == "172.31.240.4/30");
  // The same network on another port of either machine makes it useless.
  cluster.machines[0].ports[4].addresses = {{"172.31.240.10", 30}};
  CHECK(to_string(plan_of(cluster).cables[0].network) == "172.31.240.0/30");
}

TEST_CASE("two pasted outputs a machine are enough for a plan over TCP") {
  std::vector<NodeReport> reports;
  for (const auto& [name, capture] : {std::pair{"left", "mbp-m5max-local-rdma-off-dock-and-peer.json"},
                                      std::pair{"right", "mbp-m5max-peer-rdma-on-tb3drive-and-peer.json"}}) {
    reports.push_back(parse(probes_of(
        name, {{"system_profiler.json", fixture(std::string("system_profiler_json/") + capture)},
               {"hardware_ports.txt", fixture("networksetup/mbp-m5max-en1-en6-en2-bridge-present.txt")}})));
  }
  const Plan plan = make_plan(build_map(reports), {}).value();
  CHECK(plan.backend == Backend::ring);
  CHECK(plan.hostfile.hosts[0].links[1][0].interface == "en6");
  CHECK(mentions(plan.notes, "the routes of left and right are not known"));
}

TEST_CASE("property: plans for random cablings are valid on both sides") {
  unsigned planned = 0;
  for (unsigned seed = 0; seed < support::rounds(300); ++seed) {
    INFO("seed " << seed);
    const auto cluster = random_cluster(seed);
    const auto map = map_of(cluster);
    for (const auto backend :
         {std::optional<Backend>{}, std::optional{Backend::jaccl}, std::optional{Backend::ring},
          std::optional{Backend::jaccl_ring}, std::optional{Backend::jackal}}) {
      Request request = asking(backend);
      request.allow_subset = seed % 2 == 0;
      const auto plan = make_plan(map, request);
      if (!plan) {
        REQUIRE(!plan.error().what.empty());
        continue;
      }
      ++planned;
      check_valid(map, *plan);
      REQUIRE((request.allow_subset || plan->left_out.empty()));
    }
  }
  CHECK(planned > support::rounds(300));
}
