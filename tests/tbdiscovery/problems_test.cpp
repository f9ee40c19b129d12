#include "jackal/tbdiscovery/problems.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "jackal/tbdiscovery/plan.hpp"
#include "simmac/cluster.hpp"
#include "support/catch.hpp"
#include "tbdiscovery/fixtures.hpp"
#include "tbdiscovery/random_cluster.hpp"
#include "tbdiscovery/shapes.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;
using jackal::hostfile::Backend;
namespace sim = jackal::simmac;

namespace {

ClusterMap map_of(const sim::Cluster& cluster) { return build_map(parse(sim::probes(cluster))); }

/// "code node port" for each problem.
using Found = std::multiset<std::string>;

Found found(const ClusterMap& map, const Request& request = {}) {
  Found all;
  for (const auto& problem : find_problems(map, request, make_plan(map, request).has_value())) {
    auto text = std::string(to_string(problem.code));
    if (!problem.node.empty()) text += " " + problem.node;
    if (!problem.port.empty()) text += " " + problem.port;
    all.insert(std::move(text));
  }
  return all;
}

Problem only(const ClusterMap& map, ProblemCode code, const Request& request = {}) {
  for (const auto& problem : find_problems(map, request, make_plan(map, request).has_value())) {
    if (problem.code == code) return problem;
  }
  FAIL("no " << to_string(code));
  return {};
}

struct Scenario {
  std::string name;
  sim::Cluster cluster;
  Found expected;
};

/// A mesh of three that is set up, changed by `change`.
Scenario changed(const std::string& name, const std::function<void(sim::Cluster&)>& change, Found expected) {
  auto cluster = set_up(mesh_of(3));
  change(cluster);
  return {name, cluster, std::move(expected)};
}

std::vector<Scenario> scenarios() {
  using Cluster = sim::Cluster;
  auto minis = machines(0);
  for (const auto* name : {"m1", "m2", "m3"}) minis.machines.push_back(sim::mini_m4(name, "10.0.0.1"));
  for (const auto& [a, b] : {std::pair{0, 1}, {1, 2}, {2, 0}})
    join(minis, static_cast<std::size_t>(a), static_cast<std::size_t>(b));
  for (auto& cable : minis.cables) cable.gbps = 40;
  auto one_mini = set_up(mesh_of(3));
  one_mini.machines[2].generation = 4;
  one_mini.machines[2].model = "Mac16,10";
  for (auto& cable : one_mini.cables) {
    if (cable.a.machine == 2 || cable.b.machine == 2) cable.gbps = 40;
  }
  auto chain = machines(3);
  join(chain, 0, 1);
  join(chain, 1, 2);
  auto doubled = machines(3);
  join(doubled, 0, 1);
  join(doubled, 0, 1);
  join(doubled, 1, 2);
  auto alone = set_up(mesh_of(3));
  alone.machines.push_back(sim::studio("m4", "10.0.0.4"));
  auto split = set_up(ring_of(2, 1));
  for (const auto* name : {"m3", "m4"}) split.machines.push_back(sim::studio(name, "10.0.0.9"));
  split.cables.push_back({{2, 0}, {3, 0}, 80, {}});
  const auto ring = set_up(ring_of(8, 1));
  const auto bridged = [](Cluster& c, std::size_t machine, std::vector<std::size_t> ports) {
    c.machines[machine].bridge = true;
    for (const auto port : ports) c.machines[machine].ports[port].in_bridge = true;
  };

  return {
      {"a mesh that is set up", set_up(mesh_of(3)), {}},
      {"a ring of eight that is set up", ring, {}},
      {"two machines with two cables", set_up(ring_of(2, 2)), {}},
      {"one machine", machines(1), {}},
      {"a mesh before it is set up", mesh_of(2), {"no-ipv4-gid m1 1", "no-ipv4-gid m2 1"}},
      {"Thunderbolt 4 hardware",
       set_up(minis),
       {"rdma-unsupported m1", "rdma-unsupported m2", "rdma-unsupported m3"}},
      {"Thunderbolt 4 in one machine", one_mini, {"rdma-unsupported m3"}},
      changed("RDMA disabled", [](Cluster& c) { c.machines[1].rdma = false; }, {"rdma-disabled m2"}),
      changed("RDMA disabled everywhere",
              [](Cluster& c) {
                for (auto& m : c.machines) m.rdma = false;
              },
              {"rdma-disabled m1", "rdma-disabled m2", "rdma-disabled m3"}),
      changed("an RDMA port down", [](Cluster& c) { c.machines[1].ports[0].port_down = true; },
              {"port-down m2 1"}),
      changed("a slow cable", [](Cluster& c) { c.cables[0].gbps = 40; }, {"cable-slow m1 1"}),
      changed("a hub between",
              [](Cluster& c) {
                c.cables[1].hubs = {"TS5 Plus"};
                c.cables[1].gbps = 40;
              },
              {"hub-between m1 2"}),
      changed("a machine nobody listed",
              [](Cluster& c) {
                c.strangers.push_back({2, 5});
              },
              {"unlisted-machine m3 6"}),
      changed("a drive is no problem", [](Cluster& c) { c.machines[2].ports[5].drive = "PRO-G40"; }, {}),
      changed("a machine that sleeps", [](Cluster& c) { c.machines[0].sleep_minutes = 10; },
              {"sleep-enabled m1"}),
      changed("sudo with a password", [](Cluster& c) { c.machines[0].sudo = false; }, {"sudo-password m1"}),
      changed("mixed versions", [](Cluster& c) { c.machines[0].macos = "26.3"; }, {"mixed-macos"}),
      changed("a macOS before RDMA",
              [](Cluster& c) {
                c.machines[0].macos = "26.1";
                c.machines[0].rdma = false;
              },
              {"old-macos m1", "mixed-macos"}),
      changed("an interface without a name", [](Cluster& c) { c.machines[2].ports[1].listed = false; },
              {"port-without-interface m3 2"}),
      changed("an uncabled port without a name", [](Cluster& c) { c.machines[2].ports[4].listed = false; },
              {}),
      changed("an address that is missing", [](Cluster& c) { c.machines[2].ports[1].addresses.clear(); },
              {"no-ipv4-gid m3 2"}),
      changed("a port in a bridge", [&](Cluster& c) { bridged(c, 0, {0}); }, {"bridge-owns-port m1 1"}),
      changed("a free port in a bridge", [&](Cluster& c) { bridged(c, 0, {5}); }, {}),
      changed("bridges that close a loop",
              [&](Cluster& c) {
                for (std::size_t m = 0; m < 3; ++m) bridged(c, m, {0, 1});
              },
              {"bridge-loop m2 2", "bridge-owns-port m1 1", "bridge-owns-port m1 2", "bridge-owns-port m2 1",
               "bridge-owns-port m2 2", "bridge-owns-port m3 1", "bridge-owns-port m3 2"}),
      changed("bridges in a chain close none",
              [&](Cluster& c) {
                bridged(c, 0, {0});
                bridged(c, 1, {0, 1});
                bridged(c, 2, {1});
              },
              {"bridge-owns-port m1 1", "bridge-owns-port m2 1", "bridge-owns-port m2 2",
               "bridge-owns-port m3 2"}),
      changed("exo manages a port",
              [](Cluster& c) { c.machines[1].services = {"EXO Thunderbolt 5|Thunderbolt 5|en6"}; },
              {"foreign-manager m2 5"}),
      changed("two services on a port",
              [](Cluster& c) { c.machines[1].services = {"Earlier Link|Thunderbolt 1|en2"}; },
              {"foreign-manager m2 1"}),
      changed("another program's service elsewhere",
              [](Cluster& c) { c.machines[1].services = {"Tailscale|io.tailscale|"}; }, {}),
      changed("Internet Sharing over a cable",
              [](Cluster& c) {
                c.machines[2].routes = {
                    "default            172.31.240.1       UGScIg                en2       "};
              },
              {"internet-sharing m3 1"}),
      changed("a second default route elsewhere",
              [](Cluster& c) {
                c.machines[2].routes = {
                    "default            10.9.0.1           UGScIg                en1       "};
              },
              {}),
      changed("reached over a cable", [](Cluster& c) { c.machines[0].ssh_ip = "172.31.240.1"; },
              {"management-on-cable m1 1"}),
      changed("a cable into the same machine",
              [](Cluster& c) {
                c.cables.push_back({{0, 4}, {0, 5}, 80, {}});
              },
              {"cable-to-itself m1 5"}),
      {"a machine without cables",
       alone,
       {"not-cabled m4", "missing-mesh-cable m1", "missing-mesh-cable m2", "missing-mesh-cable m3"}},
      {"two halves", split, {"cabling-split m3", "no-ipv4-gid m3 1", "no-ipv4-gid m4 1"}},
      {"a chain of three", set_up(chain), {"missing-mesh-cable m1"}},
      {"two cables where a pair has none", set_up(doubled), {"uneven-cables m2 2"}},
      changed("two things at once",
              [](Cluster& c) {
                c.cables[0].gbps = 40;
                c.machines[2].sudo = false;
              },
              {"cable-slow m1 1", "sudo-password m3"}),
  };
}

}  // namespace

TEST_CASE("each problem is named where it is, and none beside it") {
  for (const auto& scenario : scenarios()) {
    INFO(scenario.name);
    CHECK(found(map_of(scenario.cluster)) == scenario.expected);
  }
}

TEST_CASE("advice names what to do: Recovery only where it helps") {
  auto cluster = set_up(mesh_of(3));
  cluster.machines[1].rdma = false;
  CHECK(only(map_of(cluster), ProblemCode::rdma_disabled).next.find("rdma_ctl enable") != std::string::npos);
  cluster.machines[1].generation = 4;
  cluster.machines[1].model = "Mac16,10";
  for (auto& cable : cluster.cables) cable.gbps = 40;
  const auto unsupported = only(map_of(cluster), ProblemCode::rdma_unsupported);
  CHECK(unsupported.what == "m2 (Mac16,10) has Thunderbolt 4 ports, which can never do RDMA");
  CHECK(unsupported.next.find("Recovery") == std::string::npos);
}

TEST_CASE("advice names ports: which two to join, which end to move") {
  auto chain = machines(3);
  join(chain, 0, 1);
  join(chain, 1, 2);
  CHECK(only(map_of(chain), ProblemCode::missing_mesh_cable).next ==
        "Join m1 port 2 and m3 port 2 with a cable.");
  auto doubled = machines(3);
  join(doubled, 0, 1);
  join(doubled, 0, 1);
  join(doubled, 1, 2);
  const auto uneven = only(map_of(doubled), ProblemCode::uneven_cables);
  CHECK(uneven.next == "Move the end at m2 port 2 to m3 port 2.");
  CHECK(uneven.cable == 1U);
}

TEST_CASE("a Mac says too little about itself, but its peer sees that RDMA is off") {
  auto probes = sim::probes([] {
    auto cluster = set_up(mesh_of(2));
    cluster.machines[1].rdma = false;
    return cluster;
  }());
  for (const auto* file : {"ibv_devices.txt", "ibv_devinfo.txt", "rdma_ctl.txt"}) probes[1].files.erase(file);
  CHECK(found(build_map(parse(probes))) == Found{"rdma-disabled-seen m2"});
}

TEST_CASE("RDMA switched on without a restart, and services that lag behind") {
  auto probes = sim::probes(set_up(mesh_of(2)));
  probes[1].files["ibv_devices.txt"].bytes = "    device          \t   node GUID\n";
  probes[1].files.erase("ibv_devinfo.txt");
  CHECK(found(build_map(parse(probes))) == Found{"rdma-no-device m2"});
  auto cluster = set_up(mesh_of(2));
  auto lagging = sim::probes(cluster);
  cluster.machines[1].rdma = false;
  lagging[0].files["system_profiler.json"].bytes = sim::system_profiler_json(cluster, 0);
  CHECK(found(build_map(parse(lagging))) == Found{"rdma-disabled-seen m2 1"});
}

TEST_CASE("hosts that cannot be probed, twice-named hosts, unreadable probes") {
  auto reports = parse(sim::probes(set_up(mesh_of(3))));
  auto gone = reports;
  gone[2] = {};
  gone[2].node = "m3";
  gone[2].failure = jackal::Error{jackal::ErrorCode::unreachable, "m3", "connection timed out", ""};
  const auto unreachable = only(build_map(gone), ProblemCode::host_unreachable);
  CHECK(unreachable.blocks);
  CHECK(unreachable.node == "m3");
  CHECK(found(build_map(gone)) == Found{"host-unreachable m3"});
  gone[2].failure->code = jackal::ErrorCode::unauthenticated;
  CHECK(found(build_map(gone)).count("host-unauthenticated m3") == 1);
  auto twice = reports;
  twice.push_back(reports[0]);
  twice.back().node = "alias";
  CHECK(only(build_map(twice), ProblemCode::same_machine_twice).blocks);
  auto probes = sim::probes(set_up(mesh_of(3)));
  probes[0].files["pmset.txt"].bytes = "nonsense";
  CHECK(found(build_map(parse(probes))) == Found{"unreadable-probe m1"});
  probes[0].files.erase("pmset.txt");
  probes[0].files.erase("system_profiler.json");
  CHECK(found(build_map(parse(probes))) == Found{"no-thunderbolt-tree m1"});
}

TEST_CASE("what blocks is what was asked for") {
  auto cluster = set_up(mesh_of(3));
  cluster.machines[1].rdma = false;
  cluster.machines[0].sudo = false;
  Request request;
  CHECK(!only(map_of(cluster), ProblemCode::rdma_disabled, request).blocks);
  CHECK(!only(map_of(cluster), ProblemCode::sudo_password, request).blocks);
  request.backend = Backend::jaccl;
  request.auto_setup = true;
  CHECK(only(map_of(cluster), ProblemCode::rdma_disabled, request).blocks);
  const auto sudo = only(map_of(cluster), ProblemCode::sudo_password, request);
  CHECK(sudo.blocks);
  CHECK(sudo.next.find("%admin ALL=(root) NOPASSWD: ") != std::string::npos);
  request = {};
  request.over = Over::ethernet;
  CHECK(found(map_of(cluster), request).empty());
}

TEST_CASE("a bad cable that a ring avoids does not block it") {
  auto cluster = set_up(mesh_of(4));
  cluster.machines[0].ports[1].port_down = true;
  Request request;
  request.backend = Backend::jaccl_ring;
  const auto problem = only(map_of(cluster), ProblemCode::port_down, request);
  CHECK(!problem.blocks);
  CHECK(problem.severity == Severity::warning);
}

TEST_CASE("problems come worst first") {
  auto cluster = set_up(mesh_of(3));
  cluster.machines[0].sleep_minutes = 1;
  cluster.cables[0].gbps = 40;
  cluster.machines.push_back(sim::studio("m4", "10.0.0.4"));
  const auto problems = find_problems(map_of(cluster), {}, false);
  REQUIRE(problems.size() >= 3);
  CHECK(problems[0].code == ProblemCode::not_cabled);
  CHECK(problems[1].code == ProblemCode::cable_slow);
  CHECK(problems.back().severity == Severity::notice);
}

TEST_CASE("the codes are a closed list of distinct words") {
  std::set<std::string_view> names;
  for (const auto code : problem_codes()) names.insert(to_string(code));
  CHECK(names.size() == 30);
  CHECK(names.count("") == 0);
}

TEST_CASE("captures: a shared default route and two services on a port are seen on a real machine") {
  auto probes = probes_of(
      "a", {{"system_profiler.json", sim::system_profiler_json(machines(1), 0)},
            {"hardware_ports.txt", fixture("networksetup/mac-6port-macA-bridge-deleted-redacted.txt")},
            {"service_order.txt", fixture("networksetup/listnetworkserviceorder-macA-6port-redacted.txt")},
            {"routes.txt", fixture("routes/netstat-rn-macA-tb-dhcp-second-default-redacted.txt")}});
  CHECK(found(build_map({parse(probes)})) == Found{"internet-sharing a 6", "foreign-manager a 3"});
}

TEST_CASE("property: every problem of a random cabling says where, why and what next") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    const auto map = map_of(random_cluster(seed));
    for (const auto& problem : find_problems(map, {}, false)) {
      REQUIRE(!problem.what.empty());
      REQUIRE(!problem.why.empty());
      REQUIRE(!problem.next.empty());
      REQUIRE((!problem.cable || *problem.cable < map.cables.size()));
    }
  }
}
