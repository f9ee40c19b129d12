#include "jackal/tbdiscovery/problems.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "jackal/tbdiscovery/plan.hpp"
#include "simmac/cluster.hpp"
#include "support/catch.hpp"
#include "support/rounds.hpp"
#include "tbdiscovery/fixtures.hpp"
#include "tbdiscovery/random_cluster.hpp"
#include "tbdiscovery/scenarios.hpp"
#include "tbdiscovery/shapes.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;
using jackal::hostfile::Backend;
namespace sim = jackal::simmac;

namespace {

ClusterMap map_of(const sim::Cluster& cluster) { return build_map(parse(sim::probes(cluster))); }

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

}  // namespace

TEST_CASE("each problem is named where it is, and none beside it") {
  const auto all = scenarios();
  CHECK(all.size() >= 60);
  for (const auto& scenario : all) {
    INFO(scenario.name);
    CHECK(found(build_map(parse(scenario.probes)), scenario.request) == scenario.expected);
  }
}

TEST_CASE("every code of the list has a scenario that provokes it") {
  std::set<std::string> provoked = {"host-unreachable", "host-unauthenticated"};  // no probes, hence below
  for (const auto& scenario : scenarios()) {
    for (const auto& problem : scenario.expected) provoked.insert(problem.substr(0, problem.find(' ')));
  }
  for (const auto code : problem_codes()) {
    INFO(to_string(code));
    CHECK(provoked.count(std::string(to_string(code))) == 1);
  }
}

TEST_CASE("every problem says node, port, why and what next, worst first") {
  for (const auto& scenario : scenarios()) {
    INFO(scenario.name);
    const auto map = build_map(parse(scenario.probes));
    const auto problems = find_problems(map, scenario.request, make_plan(map, scenario.request).has_value());
    for (const auto& problem : problems) {
      INFO(problem.what);
      CHECK(problem.what.find(problem.node) != std::string::npos);
      if (!problem.port.empty()) CHECK(problem.what.find("port " + problem.port) != std::string::npos);
      CHECK(!problem.why.empty());
      CHECK(!problem.next.empty());
    }
    CHECK(std::is_sorted(problems.begin(), problems.end(), [](const Problem& left, const Problem& right) {
      return std::tuple(!left.blocks, left.severity, left.code) <
             std::tuple(!right.blocks, right.severity, right.code);
    }));
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

TEST_CASE("hosts that cannot be probed") {
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

TEST_CASE("the name of a service is one word of the command that removes it") {
  auto probes = sim::probes(set_up(mesh_of(3)));
  auto& services = probes[1].files["service_order.txt"].bytes;
  services += "(9) x\"; reboot; \"'$(id)\n(Hardware Port: Thunderbolt 1, Device: en2)\n";
  services.replace(services.find(") Thunderbolt 1\n"), 15, ") It's `id`\"");
  const auto problem = only(build_map(parse(probes)), ProblemCode::foreign_manager);
  CHECK(problem.next == "Keep one: sudo networksetup -removenetworkservice It\\''s `id`\"' on m2.");
}

TEST_CASE("property: every problem of a random cabling says where, why and what next") {
  for (unsigned seed = 0; seed < support::rounds(200); ++seed) {
    const auto map = map_of(random_cluster(seed));
    for (const auto& problem : find_problems(map, {}, false)) {
      REQUIRE(!problem.what.empty());
      REQUIRE(!problem.why.empty());
      REQUIRE(!problem.next.empty());
      REQUIRE((!problem.cable || *problem.cable < map.cables.size()));
    }
  }
}
