#include "jackal/tbdiscovery/compare.hpp"

#include "jackal/tbdiscovery/plan.hpp"
#include "simmac/cluster.hpp"
#include "support/catch.hpp"
#include "tbdiscovery/random_cluster.hpp"
#include "tbdiscovery/shapes.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;
namespace sim = jackal::simmac;

namespace {

ClusterMap map_of(const sim::Cluster& cluster) { return build_map(parse(sim::probes(cluster))); }

using Texts = std::vector<std::string>;

Texts differences(const jackal::hostfile::Hostfile& hostfile, const sim::Cluster& cluster) {
  Texts texts;
  for (const auto& difference : compare(hostfile, map_of(cluster))) {
    texts.push_back(std::string(to_string(difference.kind)) + ": " + difference.text);
  }
  return texts;
}

}  // namespace

TEST_CASE("a host file agrees with the cabling that it was written for") {
  for (unsigned seed = 0; seed < 100; ++seed) {
    INFO("seed " << seed);
    const auto cluster = set_up(random_cluster(seed, 8));
    Request request;
    request.backend = jackal::hostfile::Backend::jackal;
    request.allow_subset = true;
    const auto plan = make_plan(map_of(cluster), request);
    if (plan) CHECK(differences(plan->hostfile, cluster).empty());
  }
}

TEST_CASE("a cable that moved is named from both of its old ends") {
  auto cluster = set_up(mesh_of(3));
  const auto hostfile = make_plan(map_of(cluster), {}).value().hostfile;
  cluster.cables[0].b.port = 4;  // from m2 port 1 to m2 port 5
  CHECK(differences(hostfile, cluster) ==
        Texts{"cable-moved: m1 port 1 led to m2 port 1; now it leads to m2 port 5",
              "cable-missing: m2 port 1 led to m1 port 1; nothing is in it now"});
  cluster.cables.erase(cluster.cables.begin());
  CHECK(differences(hostfile, cluster) ==
        Texts{"cable-missing: m1 port 1 led to m2 port 1; nothing is in it now",
              "cable-missing: m2 port 1 led to m1 port 1; nothing is in it now"});
}

TEST_CASE("names that changed with a restart, and an address that was lost") {
  auto cluster = set_up(mesh_of(2));
  const auto hostfile = make_plan(map_of(cluster), {}).value().hostfile;
  cluster.machines[0].ports[0].interface = "en9";
  CHECK(differences(hostfile, cluster) ==
        Texts{"interface-renamed: m1 port 1 was en2, now it is en9",
              "device-renamed: the RDMA device of m1 port 1 was rdma_en2, now it is rdma_en9"});
  cluster.machines[0].ports[0].interface = "en2";
  cluster.machines[1].ports[0].addresses.clear();
  CHECK(differences(hostfile, cluster) ==
        Texts{"address-missing: m2 port 1 (en2) does not have its address 172.31.240.2"});
}

TEST_CASE("a host file of TCP alone: each host still has the addresses it listens on") {
  auto cluster = set_up(mesh_of(3));
  Request request;
  request.backend = jackal::hostfile::Backend::ring;
  auto hostfile = make_plan(map_of(cluster), request).value().hostfile;
  for (auto& host : hostfile.hosts) host.links.clear();
  hostfile.hosts[1].ips.emplace_back("m2.example");  // a name, which only the host itself can look up
  CHECK(differences(hostfile, cluster).empty());
  cluster.machines[1].ports[0].addresses.clear();
  CHECK(differences(hostfile, cluster) ==
        Texts{"address-missing: m2 does not have its address " + hostfile.hosts[1].ips[0]});
}

TEST_CASE("a host that was not probed, a host file without links") {
  const auto cluster = set_up(mesh_of(3));
  auto hostfile = make_plan(map_of(cluster), {}).value().hostfile;
  for (auto& host : hostfile.hosts) host.links.clear();
  CHECK(differences(hostfile, cluster).empty());
  std::swap(hostfile.hosts[0].rdma[1], hostfile.hosts[0].rdma[2]);
  CHECK(differences(hostfile, cluster) ==
        Texts{"cable-moved: m1 port 2 led to m2; now it leads to m3 port 1",
              "cable-moved: m1 port 1 led to m3; now it leads to m2 port 1"});
  hostfile.hosts[0].rdma.clear();
  hostfile.hosts[2].ssh = "m9";
  CHECK(differences(hostfile, cluster) == Texts{"host-missing: m9 was not probed"});
}
