#include "jackal/tbdiscovery/verify.hpp"

#include <set>
#include <utility>

#include "simmac/cluster.hpp"
#include "support/catch.hpp"
#include "support/rounds.hpp"
#include "tbdiscovery/random_cluster.hpp"
#include "tbdiscovery/shapes.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;
using jackal::hostfile::Backend;
namespace sim = jackal::simmac;

namespace {

struct Planned {
  ClusterMap map;
  Plan plan;
};

Planned planned(const sim::Cluster& cluster, const Request& request = {}) {
  Planned made{build_map(parse(sim::probes(cluster))), {}};
  made.plan = make_plan(made.map, request).value();
  return made;
}

ProbeOutput printed(const std::string& bytes, int exit = 0, const std::string& error = "") {
  ProbeOutput output;
  output.bytes = bytes;
  output.exit = exit;
  output.standard_error = error;
  return output;
}

const std::string kMacPing =
    "PING 172.31.240.2 (172.31.240.2): 56 data bytes\n"
    "64 bytes from 172.31.240.2: icmp_seq=0 ttl=64 time=0.231 ms\n\n"
    "--- 172.31.240.2 ping statistics ---\n"
    "5 packets transmitted, 5 packets received, 0.0% packet loss\n"
    "round-trip min/avg/max/stddev = 0.201/0.245/0.301/0.030 ms\n";
const std::string kLinuxPing =
    "5 packets transmitted, 3 received, 40% packet loss, time 812ms\n"
    "rtt min/avg/max/mdev = 0.031/0.052/0.081/0.018 ms\n";
const std::string kDeadPing = "5 packets transmitted, 0 packets received, 100.0% packet loss\n";

std::string devinfo(const std::string& address, const std::string& state = "PORT_ACTIVE (4)") {
  return "hca_id:\trdma_en2\n\ttransport:\t\t\tThunderbolt (100)\n\t\tport:\t1\n\t\t\tstate:\t\t\t" + state +
         "\n\t\t\tGID[  0]:\t\tfe80::1\n\t\t\tGID[  1]:\t\t::ffff:" + address + "\n";
}

/// Both ends of the only cable, with what they print.
NodeOutputs answers(const std::string& a, const std::string& b, const std::string& device_b) {
  NodeOutputs outputs;
  outputs[0] = {{"ping-0-a", printed(a)}, {"ibv_devinfo.txt", printed(devinfo("172.31.240.1"))}};
  outputs[1] = {{"ping-0-b", printed(b)}, {"ibv_devinfo.txt", printed(device_b)}};
  return outputs;
}

}  // namespace

TEST_CASE("each end pings the other one out of its own interface") {
  const auto [map, plan] = planned(mesh_of(2));
  const auto commands = link_commands(map, plan);
  CHECK(commands.at(0)[0].argv == std::vector<std::string>{"ping", "-n", "-c", "5", "-i", "0.2", "-t", "4",
                                                           "-b", "en2", "-S", "172.31.240.1",
                                                           "172.31.240.2"});
  CHECK(commands.at(1)[0].argv.back() == "172.31.240.1");
  CHECK(commands.at(1)[2].argv == std::vector<std::string>{"ibv_devinfo", "-v"});
}

TEST_CASE("what pings and devices print is read, and what is wrong is said") {
  const auto [map, plan] = planned(mesh_of(2));
  auto good = read_links(map, plan, answers(kMacPing, kLinuxPing, devinfo("172.31.240.2")));
  REQUIRE(good.cables.size() == 1);
  CHECK(good.cables[0].from_a == PingResult{true, 5, 5, 0.245, ""});
  CHECK(good.cables[0].from_b == PingResult{true, 5, 3, 0.052, ""});
  CHECK_FALSE(rdma_pending(good));
  find_failures(map, plan, good);
  CHECK(good.failures == std::vector<std::string>{
                             "m2 port 1 (en2) → m1 port 1 (en2): 2 of 5 pings were lost. Change the cable."});

  auto bad = read_links(map, plan, answers(kDeadPing, kMacPing, devinfo("172.31.240.2", "PORT_DOWN (1)")));
  CHECK(rdma_pending(bad));
  find_failures(map, plan, bad);
  REQUIRE(bad.failures.size() == 2);
  CHECK(bad.failures[0].find("m1 port 1 (en2) → m2 port 1 (en2): nothing comes back from 172.31.240.2") == 0);
  CHECK(bad.failures[1].find("m2 port 1 (en2): rdma_en2 is not active") == 0);

  auto late = read_links(map, plan, answers(kMacPing, kMacPing, devinfo("172.31.240.9")));
  CHECK(late.cables[0].rdma_missing_b == "rdma_en2 has no GID of 172.31.240.2");

  auto silent = read_links(map, plan, {});
  CHECK_FALSE(silent.cables[0].from_a.measured);
  CHECK(draw_verification(map, plan, silent).find("not measured there, not measured back") !=
        std::string::npos);
}

TEST_CASE("what nobody could ask is not proved") {
  const auto [map, plan] = planned(mesh_of(2));
  auto silent = read_links(map, plan, {});
  find_failures(map, plan, silent);
  REQUIRE(silent.failures.size() == 3);
  CHECK(silent.failures[0] ==
        "the cable m1 port 1 – m2 port 1 is not proved: ping could be run at neither end");
  auto outputs = answers(kMacPing, kMacPing, devinfo("172.31.240.2"));
  outputs[1].erase("ping-0-b");
  outputs[1]["ibv_devices.txt"] = outputs[1]["ibv_devinfo.txt"] = printed(
      "    device          \t   node GUID\n    ------          \t---------\n    rdma_en2        \t0080\n");
  auto half = read_links(map, plan, outputs);
  CHECK(rdma_pending(half));
  find_failures(map, plan, half);
  REQUIRE(half.failures.size() == 1);
  CHECK(half.failures[0].find("m2 port 1 (en2): ibv_devinfo does not describe rdma_en2") == 0);
}

TEST_CASE("a message goes over RDMA where both devices are ready and both machines can send it") {
  const auto [map, plan] = planned(mesh_of(2));
  auto outputs = answers(kMacPing, kMacPing, devinfo("172.31.240.2"));
  const auto asked = [map = map, plan = plan](const NodeOutputs& answered) {
    auto verification = read_links(map, plan, answered);
    const auto cables = messages_to_send(map, plan, answered, verification);
    return std::pair(cables, verification.cables[0].rdma_how);
  };
  CHECK(asked(outputs) ==
        std::pair(std::vector<std::size_t>{}, std::string("not tried: no jackal-bench on m1")));
  outputs[0]["jackal-bench.txt"] = printed("/usr/local/bin/jackal-bench\n");
  outputs[1]["jackal-bench.txt"] = printed("", 1);
  CHECK(asked(outputs).second == "not tried: no jackal-bench on m2");
  outputs[1]["jackal-bench.txt"] = outputs[0]["jackal-bench.txt"];
  CHECK(asked(outputs) == std::pair(std::vector<std::size_t>{0}, std::string()));
  outputs[1]["ibv_devinfo.txt"] = printed(devinfo("172.31.240.2", "PORT_DOWN (1)"));
  CHECK(asked(outputs) == std::pair(std::vector<std::size_t>{}, std::string()));

  const auto commands = message_commands(map, plan, {0}, 20'000);
  const auto& first = commands.at(0).front().argv;
  const auto& second = commands.at(1).front().argv;
  const std::string devices = R"([[null,"rdma_en2"],["rdma_en2",null]])";
  CHECK(std::vector(first.begin() + 4, first.end()) ==
        std::vector<std::string>{"0", "172.31.240.1:20000", devices});
  CHECK(std::vector(second.begin() + 4, second.end()) ==
        std::vector<std::string>{"1", "172.31.240.1:20000", devices});
}

TEST_CASE("what became of a message is read, and one that did not come through is a failure") {
  const auto [map, plan] = planned(mesh_of(2));
  const auto read = [map = map, plan = plan](NodeOutputs outputs) {
    auto verification = read_links(map, plan, answers(kMacPing, kMacPing, devinfo("172.31.240.2")));
    read_messages(map, plan, {0}, outputs, verification);
    find_failures(map, plan, verification);
    return verification;
  };
  const auto good = read({{0, {{"message-0-a", printed("a table\n")}}}, {1, {}}});
  CHECK(good.cables[0].rdma_carried == true);
  CHECK(good.failures.empty());
  CHECK(draw_verification(map, plan, good).find("RDMA message: came through, 64 bytes each way") !=
        std::string::npos);

  const auto bad = read({{0, {{"message-0-a", printed("", 143)}}},
                         {1, {{"message-0-b", printed("", 69, "warning\njackal-bench: no reply\n\n")}}}});
  CHECK(bad.cables[0].rdma_carried == false);
  CHECK(bad.cables[0].rdma_how == "jackal-bench: no reply");
  REQUIRE(bad.failures.size() == 1);
  CHECK(bad.failures[0].find(
            "the cable m1 port 1 – m2 port 1 carries no RDMA message: jackal-bench: no reply. ") == 0);

  const auto silent = read({{0, {{"message-0-a", printed("", 143)}}}, {1, {}}});
  CHECK(silent.cables[0].rdma_how == "jackal-bench did not come to its end within 15 s");
  const auto lost = read({{0, {}}});
  CHECK(lost.cables[0].rdma_carried == std::nullopt);
  CHECK(lost.failures.empty());
}

TEST_CASE("dd's figure becomes a bandwidth, and where there is none the reason is said") {
  const auto [map, plan] = planned(mesh_of(2));
  const auto read = [map = map, plan = plan](NodeOutputs outputs) {
    Verification verification;
    verification.cables.resize(1);
    read_bandwidth(map, plan, {0}, outputs, verification);
    return verification.cables[0];
  };
  const auto sent = [](const std::string& bytes, int exit = 0) {
    return NodeOutputs{{0, {{"tcp-0-a", printed(bytes, exit)}}}, {1, {}}};
  };
  const auto mac =
      read(sent("256+0 records in\n268435456 bytes transferred in 0.134217728 secs (2 bytes/sec)\n"));
  CHECK(mac.tcp_gbps.value() == Approx(16));
  CHECK(mac.tcp_how == "256 MiB of dd through nc, m1 to m2, timed by dd");
  CHECK(read(sent("268435456 bytes (268 MB, 256 MiB) copied, 2.14748 s, 125 MB/s\n")).tcp_gbps.value() ==
        Approx(1).epsilon(0.001));
  CHECK(read(sent("", 99)).tcp_how == "not measured: no nc on m1");
  CHECK(read(sent("", 98)).tcp_how == "not measured: 256 MiB took more than 10 s");
  CHECK(read(sent("", 97)).tcp_how == "not measured: nc on m1 got no connection to nc on m2");
  CHECK(read({}).tcp_how == "not measured: nc on m1 got no connection to nc on m2");
  CHECK(read(sent("nothing of use\n")).tcp_how == "not measured: dd did not say how long it took");
}

TEST_CASE("the coordinator's address is one that all others reach") {
  Request request;
  request.backend = Backend::jaccl;
  auto cluster = mesh_of(3);
  cluster.machines[0].ssh_ip = "203.0.113.7";  // reached from here through a forwarding
  const auto both = planned(cluster, request);
  const auto& map = both.map;  // not by structured binding, which clang 14 cannot capture
  const auto& plan = both.plan;
  const auto lan = cluster.machines[0].lan_ip;
  REQUIRE(reach_commands(map, plan).at(1).size() == coordinator_candidates(map.nodes[0]).size());
  const auto say = [&](const std::string& forwarded, const std::string& own) {
    std::map<std::string, ProbeOutput> files = {{"reach-0-203.0.113.7", printed(forwarded)},
                                                {"reach-0-" + lan, printed(own)}};
    Plan chosen = plan;
    Verification verification;
    choose_addresses(map, {{1, files}, {2, files}}, chosen, verification);
    find_failures(map, chosen, verification);
    return std::pair{chosen.hostfile.hosts[0].ips, verification};
  };
  CHECK(say("nothing\n", "connected\n").first == std::vector<std::string>{lan});
  CHECK(say("connected\n", "connected\n").first == std::vector<std::string>{"203.0.113.7"});
  CHECK(say("pinged\n", "refused\n").first == std::vector<std::string>{lan});
  const auto pinged = say("pinged\n", "nothing\n");
  CHECK(pinged.second.failures.empty());
  CHECK(draw_verification(map, plan, pinged.second).find("m1 at 203.0.113.7: by ping only from m2, m3") !=
        std::string::npos);
  const auto none = say("nothing\n", "nothing\n");
  REQUIRE(none.second.failures.size() == 1);
  CHECK(none.second.failures[0].find("m1 has no address outside the cables that all others reach") == 0);
}

TEST_CASE("a ring over cables needs no address outside them, and one over the network needs all") {
  Request request;
  request.backend = Backend::ring;
  const auto cables = planned(ring_of(4, 1), request);
  CHECK(reach_commands(cables.map, cables.plan).empty());
  request.over = Over::ethernet;
  const auto network = planned(ring_of(4, 1), request);
  CHECK(reach_commands(network.map, network.plan).at(0).size() >= 3);
}

TEST_CASE("property: every cable is measured once, and no machine measures two at a time") {
  for (unsigned seed = 0; seed < support::rounds(200); ++seed) {
    INFO("seed " << seed);
    Request request;
    request.backend = Backend::jackal;
    request.allow_subset = true;
    const auto map = build_map(parse(sim::probes(random_cluster(seed))));
    const auto plan = make_plan(map, request);
    if (!plan) continue;
    std::set<std::size_t> measured;
    for (const auto& round : bandwidth_rounds(map, *plan)) {
      for (const auto& [node, commands] : bandwidth_commands(map, *plan, round, 20'000))
        REQUIRE(commands.size() == 1);
      for (const auto cable : round) REQUIRE(measured.insert(cable).second);
    }
    REQUIRE(measured.size() == plan->cables.size());
  }
}
