#include "jackal/tbdiscovery/setup.hpp"

#include <algorithm>

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

std::vector<NodeSetup> setup_of(const sim::Cluster& cluster, const SetupOptions& options = {}) {
  const auto map = map_of(cluster);
  const auto plan = make_plan(map, {});
  if (!plan) FAIL(plan.error().text());
  return make_setup(map, *plan, options).value();
}

sim::Port& port_with(sim::Machine& machine, const std::string& interface) {
  for (auto& port : machine.ports) {
    if (port.interface == interface) return port;
  }
  FAIL("no interface " << interface);
  return machine.ports.front();
}

/// What a Mac does with these commands.
void run(sim::Machine& machine, const Argv& argv) {
  REQUIRE(argv.size() >= 4);
  REQUIRE(argv[0] == "ifconfig");
  if (argv[2] == "deletem" || argv[2] == "addm") {
    REQUIRE(argv[1] == "bridge0");
    auto& port = port_with(machine, argv[3]);
    REQUIRE(port.in_bridge == (argv[2] == "deletem"));
    port.in_bridge = argv[2] == "addm";
    return;
  }
  REQUIRE(argv[2] == "inet");
  auto& addresses = port_with(machine, argv[1]).addresses;
  const auto known =
      std::find_if(addresses.begin(), addresses.end(), [&](const auto& own) { return own.ip == argv[3]; });
  if (argv[4] == "delete") {
    REQUIRE(known != addresses.end());
    addresses.erase(known);
    return;
  }
  REQUIRE(argv[4] == "netmask");
  REQUIRE(known == addresses.end());
  const bool alias = argv.size() == 7 && argv[6] == "alias";
  if (!alias && !addresses.empty()) addresses.erase(addresses.begin());
  addresses.insert(addresses.begin(), sim::Address{argv[3], argv[5] == "255.255.0.0" ? 16 : 30});
}

/// Machine, interface, bridge membership and addresses of every port, as one comparable text.
std::string state_of(const sim::Cluster& cluster) {
  std::string state;
  for (const auto& machine : cluster.machines) {
    for (const auto& port : machine.ports) {
      state += machine.name + " " + port.interface + (port.in_bridge ? " bridged" : "");
      for (const auto& address : port.addresses)
        state += " " + address.ip + "/" + std::to_string(address.prefix);
      state += "\n";
    }
  }
  return state;
}

}  // namespace

TEST_CASE("the commands for two machines fresh out of the box") {
  auto cluster = mesh_of(2);
  for (auto& machine : cluster.machines) {
    machine.bridge = true;
    for (auto& port : machine.ports) port.in_bridge = true;
  }
  const auto setup = setup_of(cluster);
  REQUIRE(setup.size() == 2);
  CHECK(shell_text(setup[0]) ==
        "# on m1\n"
        "sudo ifconfig bridge0 deletem en2\n"
        "sudo ifconfig en2 inet 172.31.240.1 netmask 255.255.255.252\n");
  CHECK(shell_text(setup[1]) ==
        "# on m2\n"
        "sudo ifconfig bridge0 deletem en2\n"
        "sudo ifconfig en2 inet 172.31.240.2 netmask 255.255.255.252\n");
  CHECK(shell_text(undo_steps(setup[0].steps)) ==
        "sudo ifconfig en2 inet 172.31.240.1 delete\n"
        "sudo ifconfig bridge0 addm en2\n");
  REQUIRE(setup[0].checks.size() == 2);
  CHECK(setup[0].checks[0].argv == Argv{"ifconfig", "en2"});
  CHECK(setup[0].checks[0].expect == "inet 172.31.240.1 netmask 0xfffffffc");
  CHECK(setup[0].checks[1].argv == Argv{"route", "-n", "get", "172.31.240.2"});
  CHECK(setup[0].checks[1].expect == "interface: en2\n");
}

TEST_CASE("what is already so needs no command") {
  for (const auto& node : setup_of(set_up(mesh_of(4)))) {
    CHECK(node.steps.empty());
    CHECK(node.checks.size() == 6);
    CHECK(shell_text(node).empty());
  }
}

TEST_CASE("a cabled port leaves the bridge even when the plan does not use it") {
  auto cluster = ring_of(3, 1);
  join(cluster, 0, 1);
  for (auto& machine : cluster.machines) {
    machine.bridge = true;
    machine.ports[2].in_bridge = true;
  }
  const auto map = map_of(cluster);
  Request request;
  request.backend = Backend::jaccl_ring;
  const auto setup = make_setup(map, make_plan(map, request).value()).value();
  CHECK(setup[0].steps[0].argv == Argv{"ifconfig", "bridge0", "deletem", "en4"});
  CHECK(setup[2].steps[0].argv[0] == "ifconfig");
  CHECK(setup[2].steps[0].argv[1] != "bridge0");
}

TEST_CASE("an address of an earlier cabling goes, a self-assigned one goes by itself") {
  auto cluster = mesh_of(2);
  cluster.machines[0].ports[0].addresses = {{"192.168.0.1", 30}};
  cluster.machines[1].ports[0].addresses = {{"169.254.7.7", 16}};
  const auto setup = setup_of(cluster);
  CHECK(shell_text(setup[0].steps) ==
        "sudo ifconfig en2 inet 192.168.0.1 delete\n"
        "sudo ifconfig en2 inet 172.31.240.1 netmask 255.255.255.252\n");
  CHECK(shell_text(setup[1].steps) == "sudo ifconfig en2 inet 172.31.240.2 netmask 255.255.255.252\n");
}

TEST_CASE("a route that is missing is added, one that leads elsewhere is changed, and both can be undone") {
  auto probes = sim::probes(set_up(mesh_of(2)));
  auto& routes = probes[0].files["routes.txt"].bytes;
  const auto line = routes.find("172.31.240");
  routes.erase(line, routes.find('\n', line) - line + 1);
  auto map = build_map(parse(probes));
  auto steps = make_setup(map, make_plan(map, {}).value()).value()[0].steps;
  CHECK(shell_text(steps) ==
        "sudo route -n add -host 172.31.240.2 -interface en2 || "
        "sudo route -n change -host 172.31.240.2 -interface en2\n");
  CHECK(shell_text(undo_steps(steps)) == "sudo route -n delete -host 172.31.240.2\n");

  Plan plan = make_plan(map, {}).value();
  probes[0].files["routes.txt"].bytes +=
      "172.31.240.2       10.0.0.7           UGHS                en0       \n";
  map = build_map(parse(probes));
  steps = make_setup(map, plan).value()[0].steps;
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].argv == Argv{"route", "-n", "change", "-host", "172.31.240.2", "-interface", "en2"});
  CHECK(steps[0].otherwise == Argv{"route", "-n", "add", "-host", "172.31.240.2", "-interface", "en2"});
  CHECK(steps[0].undo == Argv{"route", "-n", "change", "-host", "172.31.240.2", "10.0.0.7"});
}

TEST_CASE("the connection to the node is never cut") {
  auto cluster = mesh_of(2);
  cluster.machines[0].ports[0].addresses = {{"192.168.9.5", 24}};
  cluster.machines[0].ssh_ip = "192.168.9.5";
  const auto map = map_of(cluster);
  const auto setup = make_setup(map, make_plan(map, {}).value());
  REQUIRE(!setup);
  CHECK(setup.error().where == "m1");
  CHECK(setup.error().what == "was reached over en2 (192.168.9.5), which the set-up would change");
  auto bridged = mesh_of(2);
  bridged.machines[1].bridge = true;
  bridged.machines[1].ports[0].in_bridge = true;
  bridged.machines[1].ssh_ip = "192.168.9.6";
  bridged.machines[1].bridge_addresses = {{"192.168.9.6", 24}};
  const auto other = map_of(bridged);
  CHECK(!make_setup(other, make_plan(other, {}).value()));
}

TEST_CASE("a set-up that lasts writes one file that runs the same commands at every start") {
  auto cluster = mesh_of(2);
  cluster.machines[0].bridge = true;
  const auto steps = setup_of(cluster, {true, {}})[0].steps;
  REQUIRE(steps.size() == 2);
  CHECK(steps[1].argv == Argv{"tee", "/Library/LaunchDaemons/org.jackal.links.plist"});
  CHECK(steps[1].input.find(
            "/sbin/ifconfig bridge0 deletem en2; /sbin/ifconfig en2 | grep -q 'inet 172.31.240.1 ' || "
            "/sbin/ifconfig en2 inet 172.31.240.1 netmask 255.255.255.252; done; true</string>") !=
        std::string::npos);
  CHECK(shell_text(undo_steps(steps)).find("sudo rm -f /Library/LaunchDaemons/org.jackal.links.plist\n") ==
        0);

  const auto again = setup_of(set_up(cluster), {false, {{"m1", steps[1].input}}})[0].steps;
  CHECK(again.empty());
  const auto renewed = setup_of(set_up(cluster), {false, {{"m1", "of an earlier cabling"}}})[0].steps;
  REQUIRE(renewed.size() == 1);
  CHECK(renewed[0].input == steps[1].input);
}

TEST_CASE("a Linux node gets the commands of Linux") {
  const std::string tree =
      "/sys/bus/thunderbolt/devices/0-0/unique_id:AAAA\n/sys/bus/thunderbolt/devices/0-1/unique_id:" +
      sim::domain_uuid(0, 0) +
      "\n/sys/bus/thunderbolt/devices/0-1.0/net/thunderbolt0/address:02:00:00:00:00:01\n";
  auto mac = sim::system_profiler_json(mesh_of(2), 0);
  const auto uuid = sim::domain_uuid(1, 0);
  mac.replace(mac.find(uuid), uuid.size(), "AAAA");
  const auto map = build_map(
      {parse(probes_of("mac", {{"system_profiler.json", mac},
                               {"hardware_ports.txt", sim::hardware_ports(mesh_of(2), 0)}})),
       parse(probes_of("box",
                       {{"os.txt", "Linux 6.14\n"},
                        {"thunderbolt.txt", tree},
                        {"ip_addr.json",
                         R"([{"ifname":"thunderbolt0","flags":[],"master":"br0"},{"ifname":"br0"}])"}}))});
  REQUIRE(map.cables.size() == 1);
  const auto setup = make_setup(map, make_plan(map, {}).value(), {true, {}}).value();
  const auto text = shell_text(setup[1].steps);
  CHECK(text.find("sudo ip link set dev thunderbolt0 nomaster\nsudo ip link set dev thunderbolt0 up\n"
                  "sudo ip addr replace 172.31.240.2/30 dev thunderbolt0\n"
                  "sudo tee /etc/systemd/system/jackal-links.service >/dev/null <<'END_OF_FILE'\n[Unit]\n") ==
        0);
  CHECK(setup[1].checks[1].expect == " dev thunderbolt0 ");
}

TEST_CASE("property: commands give every cable its own subnet, once, and undo restores what was") {
  unsigned set_ups = 0;
  for (unsigned seed = 0; seed < support::rounds(300); ++seed) {
    INFO("seed " << seed);
    auto cluster = random_cluster(seed);
    if (seed % 3 == 0) cluster.machines[0].ports[0].addresses = {{"192.168.0.1", 30}};
    const auto before = state_of(cluster);
    auto map = map_of(cluster);
    Request request;
    request.allow_subset = true;
    request.backend = seed % 2 == 0 ? std::optional{Backend::jackal} : std::nullopt;
    const auto plan = make_plan(map, request);
    if (!plan) continue;
    const auto setup = make_setup(map, *plan).value();
    for (const auto& node : setup) {
      for (const auto& step : node.steps) run(cluster.machines[node.node], step.argv);
    }
    map = map_of(cluster);
    for (const auto& planned : plan->cables) {
      const Cable& cable = map.cables[planned.cable];
      for (const auto& [end, ip] : {std::pair{cable.a, planned.ip_a}, std::pair{cable.b, planned.ip_b}}) {
        const Port& port = map.port(end);
        REQUIRE(port.bridge.empty());
        REQUIRE(port.addresses == std::vector<InterfaceAddress>{{ip, 30}});
      }
    }
    const auto again = make_plan(map, request).value();
    REQUIRE(again.hostfile == plan->hostfile);
    const auto nothing = make_setup(map, again).value();
    for (const auto& node : nothing) REQUIRE(node.steps.empty());
    for (const auto& node : setup) {
      const auto undo = undo_steps(node.steps);
      for (const auto& step : undo) run(cluster.machines[node.node], step.argv);
    }
    REQUIRE(state_of(cluster) == before);
    ++set_ups;
  }
  CHECK(set_ups > support::rounds(100));
}

TEST_CASE("property: the record undoes a set-up that broke off anywhere, and one after another") {
  int cut_short = 0;
  for (unsigned seed = 0; seed < support::rounds(300); ++seed) {
    INFO("seed " << seed);
    auto cluster = random_cluster(seed);
    for (std::size_t m = 0; m < cluster.machines.size(); ++m) {
      auto& ports = cluster.machines[m].ports;
      if ((seed + m) % 3 == 0) ports[0].addresses = {{"192.168.0." + std::to_string(4 * m + 1), 30}};
      if ((seed + m) % 3 == 1) ports[0].addresses = {{"169.254.7." + std::to_string(m + 1), 16}};
    }
    const auto before = state_of(cluster);
    Request request;
    request.allow_subset = true;
    request.backend = Backend::jackal;
    std::vector<ChangeRecord> records(cluster.machines.size());
    // Twice: a set-up that broke off, then another one on what it left.
    for (unsigned round = 0; round < 2; ++round) {
      const auto map = map_of(cluster);
      const auto plan = make_plan(map, request);
      if (!plan) break;
      const auto setup = make_setup(map, *plan).value();
      for (const auto& node : setup) {
        std::vector<Change> changes;
        for (const auto& step : node.steps) changes.push_back(*step.change);
        auto& record = records[node.node];
        record = extended(record, changes, map.nodes[node.node].report);
        record = read_record(to_text(record), "links.json").value();
        const std::size_t done = (seed + round * 7 + node.node) % (node.steps.size() + 1);
        if (done < node.steps.size()) ++cut_short;
        for (std::size_t i = 0; i < done; ++i) run(cluster.machines[node.node], node.steps[i].argv);
      }
    }
    const auto map = map_of(cluster);
    for (std::size_t m = 0; m < cluster.machines.size(); ++m) {
      for (const auto& step : undo_steps(records[m], map.nodes[m].report))
        run(cluster.machines[m], step.argv);
    }
    REQUIRE(state_of(cluster) == before);
  }
  CHECK(cut_short > 100);
}

TEST_CASE("a record that was written by something else is refused") {
  for (
      const char* text :
      {"x", "[]", "{}", R"({"version":2,"system":"macos","changes":[]})",
       R"({"version":1,"system":"vms","changes":[]})", R"({"version":1,"system":"macos","changes":{}})",
       R"({"version":1,"system":"macos","changes":[{"kind":"left-bridge","interface":"en2"}]})",
       R"({"version":1,"system":"macos","changes":[{"kind":"added-address","interface":"en2","address":"1.2.3/4"}]})",
       R"({"version":1,"system":"macos","changes":[{"kind":"wrote-file"}]})"}) {
    INFO(text);
    const auto read = read_record(text, "m1: links.json");
    REQUIRE(!read);
    CHECK(read.error().where == "m1: links.json");
  }
}

TEST_CASE("a restart takes changes back, and then there is nothing to undo") {
  auto cluster = mesh_of(2);
  for (auto& machine : cluster.machines) {
    machine.bridge = true;
    machine.ports[0].in_bridge = true;
  }
  const auto fresh = map_of(cluster);
  const auto steps = setup_of(cluster)[0].steps;
  std::vector<Change> changes;
  for (const auto& step : steps) changes.push_back(*step.change);
  const auto record = extended({}, changes, fresh.nodes[0].report);
  CHECK(record.changes.size() == 2);
  CHECK(undo_steps(record, fresh.nodes[0].report).empty());
  CHECK(extended(record, {}, fresh.nodes[0].report).changes.empty());
}
