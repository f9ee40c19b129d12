#include "tbdiscovery/scenarios.hpp"

#include <algorithm>
#include <functional>

#include "simmac/cluster.hpp"
#include "tbdiscovery/shapes.hpp"

namespace jackal::tbdiscovery::test {
namespace {

namespace sim = jackal::simmac;
using hostfile::Backend;
using sim::Cluster;

class Table {
public:
  std::vector<Scenario> all;

  void add(const std::string& name, const Cluster& cluster, Found expected, int exit = 0,
           const Request& request = {}) {
    all.push_back({name, sim::probes(cluster), std::move(expected), exit, request});
  }

  /// A mesh of three that is set up, changed by `change`.
  void changed(const std::string& name, const std::function<void(Cluster&)>& change, Found expected,
               int exit = 0, const Request& request = {}) {
    auto cluster = set_up(mesh_of(3));
    change(cluster);
    add(name, cluster, std::move(expected), exit, request);
  }

  /// The same, but it is what the commands print that changes.
  void edited(const std::string& name, const std::function<void(RawProbes&)>& edit, Found expected,
              int exit = 0, const Request& request = {}) {
    add(name, set_up(mesh_of(3)), std::move(expected), exit, request);
    edit(all.back().probes);
  }
};

Request wanting(Backend backend) {
  Request request;
  request.backend = backend;
  return request;
}

Cluster with(Cluster cluster, const std::function<void(Cluster&)>& change) {
  change(cluster);
  return cluster;
}

void bridged(Cluster& cluster, std::size_t machine, const std::vector<std::size_t>& ports) {
  cluster.machines[machine].bridge = true;
  for (const auto port : ports) cluster.machines[machine].ports[port].in_bridge = true;
}

/// A chain in the order of the names.
Cluster chain_of(std::size_t count) {
  auto cluster = machines(count);
  for (std::size_t i = 0; i + 1 < count; ++i) join(cluster, i, i + 1);
  return cluster;
}

Cluster minis_of(std::size_t count) {
  Cluster cluster;
  for (std::size_t i = 1; i <= count; ++i) {
    cluster.machines.push_back(sim::mini_m4("m" + std::to_string(i), "10.0.0." + std::to_string(i)));
  }
  return cluster;
}

Cluster slowed(Cluster cluster, int gbps) {
  for (auto& cable : cluster.cables) cable.gbps = gbps;
  return cluster;
}

/// The first `from` behind the first `anchor`.
void replace_after(std::string& text, const std::string& anchor, const std::string& from,
                   const std::string& to) {
  text.replace(text.find(from, text.find(anchor)), from.size(), to);
}

void add_shapes(Table& table) {
  table.add("a mesh of three that is set up", set_up(mesh_of(3)), {});
  table.add("a mesh of four that is set up", set_up(mesh_of(4)), {});
  table.add("a ring of eight that is set up", set_up(ring_of(8, 1)), {});
  table.add("a ring of four with two cables a neighbour", set_up(ring_of(4, 2)), {});
  table.add("two machines with two cables", set_up(ring_of(2, 2)), {});
  table.add("one machine", machines(1), {});
  table.add("a mesh before it is set up", mesh_of(2), {"no-ipv4-gid m1 1", "no-ipv4-gid m2 1"});
  table.add("a chain of three", set_up(chain_of(3)), {"missing-mesh-cable m1"}, 1);
  table.add("a chain of three for jackal", set_up(chain_of(3)), {}, 0, wanting(Backend::jackal));
  table.add("a chain of three for jaccl", set_up(chain_of(3)), {"missing-mesh-cable m1"}, 1,
            wanting(Backend::jaccl));
  table.add("a chain of six is not a mesh that lacks ten cables", set_up(chain_of(6)), {}, 1);
  table.add(
      "a ring of eight for jaccl, which has not enough ports",
      with(machines(8),
           [](Cluster& c) {
             for (std::size_t i = 0; i < 8; ++i) join(c, i, (i + 1) % 8);
             for (const auto& [a, b] : {std::pair{0, 2}, {1, 3}, {4, 6}, {5, 7}})
               join(c, static_cast<std::size_t>(a), static_cast<std::size_t>(b));
             c = set_up(c);
           }),
      [] {
        Found missing;
        const int lacking[] = {4, 4, 4, 3, 1, 0, 0, 0};
        for (int i = 0; i < 8; ++i) {
          for (int k = 0; k < lacking[i]; ++k) missing.insert("missing-mesh-cable m" + std::to_string(i + 1));
        }
        return missing;
      }(),
      1, wanting(Backend::jaccl));
  auto alone = set_up(mesh_of(3));
  alone.machines.push_back(sim::studio("m4", "10.0.0.4"));
  table.add("a machine without cables", alone,
            {"not-cabled m4", "missing-mesh-cable m1", "missing-mesh-cable m2", "missing-mesh-cable m3"}, 1);
  Request subset;
  subset.allow_subset = true;
  table.add("a machine without cables, which may be left out", alone,
            {"not-cabled m4", "missing-mesh-cable m1", "missing-mesh-cable m2", "missing-mesh-cable m3"}, 0,
            subset);
  auto split = set_up(ring_of(2, 1));
  for (const auto* name : {"m3", "m4"}) split.machines.push_back(sim::studio(name, "10.0.0.9"));
  split.cables.push_back({{2, 0}, {3, 0}, 80, {}});
  table.add("two halves", split, {"cabling-split m3", "no-ipv4-gid m3 1", "no-ipv4-gid m4 1"}, 1);
  auto doubled = machines(3);
  join(doubled, 0, 1);
  join(doubled, 0, 1);
  join(doubled, 1, 2);
  table.add("two cables where a pair has none", set_up(doubled), {"uneven-cables m2 2"}, 1);
  auto full = machines(3);
  for (auto& machine : full.machines) machine.ports.resize(2);
  join(full, 0, 1);
  join(full, 1, 2);
  full.machines[2].ports[1].drive = "PRO-G40";
  table.add("a missing cable for which no port is free", set_up(full), {"missing-mesh-cable m1"}, 1);
  Request ethernet;
  ethernet.over = Over::ethernet;
  table.add("Ethernet needs no cables", machines(3), {}, 0, ethernet);
}

void add_hardware(Table& table) {
  auto minis = minis_of(3);
  for (const auto& [a, b] : {std::pair{0, 1}, {1, 2}, {2, 0}})
    join(minis, static_cast<std::size_t>(a), static_cast<std::size_t>(b));
  const auto set = set_up(slowed(minis, 40));
  const Found unsupported = {"rdma-unsupported m1", "rdma-unsupported m2", "rdma-unsupported m3"};
  table.add("Thunderbolt 4 hardware", set, unsupported);
  table.add("Thunderbolt 4 hardware for jaccl", set, unsupported, 1, wanting(Backend::jaccl));
  table.add("Thunderbolt 4 hardware for jaccl-ring", set, unsupported, 1, wanting(Backend::jaccl_ring));
  table.add("Thunderbolt 4 hardware with RDMA off and an old macOS",
            with(set,
                 [](Cluster& c) {
                   for (auto& machine : c.machines) {
                     machine.rdma = false;
                     machine.macos = "15.3";
                   }
                 }),
            unsupported);
  table.add("Thunderbolt 4 hardware that lists devices", set, unsupported);
  auto listing = set;
  for (auto& machine : listing.machines) machine.generation = 5;
  for (std::size_t i = 0; i < 3; ++i)
    table.all.back().probes[i].files["ibv_devices.txt"].bytes = sim::ibv_devices(listing, i);
  auto taken = minis_of(2);
  for (int k = 0; k < 3; ++k) join(taken, 0, 1);
  table.add("Thunderbolt 4 hardware without a free port", set_up(slowed(taken, 40)),
            {"rdma-unsupported m1", "rdma-unsupported m2"});
  auto one_mini = set_up(mesh_of(3));
  one_mini.machines[2].generation = 4;
  one_mini.machines[2].model = "Mac16,10";
  for (auto& cable : one_mini.cables) {
    if (cable.a.machine == 2 || cable.b.machine == 2) cable.gbps = 40;
  }
  table.add("Thunderbolt 4 in one machine", one_mini, {"rdma-unsupported m3"});
  table.changed("a slow cable", [](Cluster& c) { c.cables[0].gbps = 40; }, {"cable-slow m1 1"});
  table.add("a slow cable between Thunderbolt 4 ports",
            set_up(with(slowed(minis, 40), [](Cluster& c) { c.cables[0].gbps = 20; })),
            {"cable-slow m1 1", "rdma-unsupported m1", "rdma-unsupported m2", "rdma-unsupported m3"});
  table.changed("a hub between",
                [](Cluster& c) {
                  c.cables[1].hubs = {"TS5 Plus"};
                  c.cables[1].gbps = 40;
                },
                {"hub-between m1 2"});
  table.changed("two docks between",
                [](Cluster& c) {
                  c.cables[0].hubs = {"TS5 Plus", "ThunderBay Flex 8"};
                  c.cables[0].gbps = 40;
                },
                {"hub-between m1 1"});
  table.changed("a drive is no problem", [](Cluster& c) { c.machines[2].ports[5].drive = "PRO-G40"; }, {});
  table.changed("a machine nobody listed",
                [](Cluster& c) {
                  c.strangers.push_back({2, 5});
                },
                {"unlisted-machine m3 6"});
  table.changed("a cable into the same machine",
                [](Cluster& c) {
                  c.cables.push_back({{0, 4}, {0, 5}, 80, {}});
                },
                {"cable-to-itself m1 5"});
  table.add("ports named 1, 2 and 4, interfaces out of order",
            with(machines(2),
                 [](Cluster& c) {
                   c.machines[0] = sim::macbook("m1", "10.0.0.1");
                   c.machines[1] = sim::macbook("m2", "10.0.0.2");
                   c.cables.push_back({{0, 1}, {1, 1}, 80, {}});
                   c = set_up(c);
                 }),
            {});
}

void add_rdma(Table& table) {
  table.changed("RDMA disabled", [](Cluster& c) { c.machines[1].rdma = false; }, {"rdma-disabled m2"});
  table.changed(
      "RDMA disabled, and jaccl asked for", [](Cluster& c) { c.machines[1].rdma = false; },
      {"rdma-disabled m2"}, 1, wanting(Backend::jaccl));
  table.changed("RDMA disabled everywhere",
                [](Cluster& c) {
                  for (auto& m : c.machines) m.rdma = false;
                },
                {"rdma-disabled m1", "rdma-disabled m2", "rdma-disabled m3"});
  table.changed("RDMA disabled on the peer, who says nothing of it himself",
                [](Cluster& c) { c.machines[1].rdma = false; }, {"rdma-disabled-seen m2"});
  for (const auto* file : {"ibv_devices.txt", "ibv_devinfo.txt", "rdma_ctl.txt"})
    table.all.back().probes[1].files.erase(file);
  table.edited("RDMA switched on without a restart",
               [](RawProbes& probes) {
                 probes[1].files["ibv_devices.txt"].bytes = "    device          \t   node GUID\n";
                 probes[1].files.erase("ibv_devinfo.txt");
               },
               {"rdma-no-device m2"});
  table.edited("a peer's services lag behind",
               [](RawProbes& probes) {
                 auto cluster = set_up(mesh_of(3));
                 cluster.machines[1].rdma = false;
                 probes[0].files["system_profiler.json"].bytes = sim::system_profiler_json(cluster, 0);
               },
               {"rdma-disabled-seen m2 1"});
  table.changed("an RDMA port down", [](Cluster& c) { c.machines[1].ports[0].port_down = true; },
                {"port-down m2 1"});
  table.changed(
      "an RDMA port down, and jaccl asked for", [](Cluster& c) { c.machines[1].ports[0].port_down = true; },
      {"port-down m2 1"}, 1, wanting(Backend::jaccl));
  table.edited("an interface without a link",
               [](RawProbes& probes) {
                 replace_after(probes[1].files["ifconfig.txt"].bytes, "\nen2:", "status: active",
                               "status: inactive");
               },
               {"port-down m2 1"});
  table.changed("an address that is missing", [](Cluster& c) { c.machines[2].ports[1].addresses.clear(); },
                {"no-ipv4-gid m3 2"});
  table.changed("a macOS before RDMA",
                [](Cluster& c) {
                  c.machines[0].macos = "26.1";
                  c.machines[0].rdma = false;
                },
                {"old-macos m1", "mixed-macos"});
  table.changed("a macOS before RDMA everywhere",
                [](Cluster& c) {
                  for (auto& m : c.machines) {
                    m.macos = "15.7.1";
                    m.rdma = false;
                  }
                },
                {"old-macos m1", "old-macos m2", "old-macos m3"});
  table.changed("mixed versions", [](Cluster& c) { c.machines[0].macos = "26.3"; }, {"mixed-macos"});
}

void add_network(Table& table) {
  table.changed("a port in a bridge", [](Cluster& c) { bridged(c, 0, {0}); }, {"bridge-owns-port m1 1"});
  table.changed("a port in a bridge, without an address of its own",
                [](Cluster& c) {
                  bridged(c, 0, {0});
                  c.machines[0].ports[0].addresses.clear();
                },
                {"bridge-owns-port m1 1"});
  table.changed("a free port in a bridge", [](Cluster& c) { bridged(c, 0, {5}); }, {});
  table.changed("a bridge without members", [](Cluster& c) { bridged(c, 0, {}); }, {});
  table.changed(
      "bridges that close a loop",
      [](Cluster& c) {
        for (std::size_t m = 0; m < 3; ++m) bridged(c, m, {0, 1});
      },
      {"bridge-loop m2 2", "bridge-owns-port m1 1", "bridge-owns-port m1 2", "bridge-owns-port m2 1",
       "bridge-owns-port m2 2", "bridge-owns-port m3 1", "bridge-owns-port m3 2"});
  table.add("two cables between two bridges are a loop too",
            with(set_up(ring_of(2, 2)),
                 [](Cluster& c) {
                   bridged(c, 0, {0, 1});
                   bridged(c, 1, {0, 1});
                 }),
            {"bridge-loop m1 2", "bridge-owns-port m1 1", "bridge-owns-port m1 2", "bridge-owns-port m2 1",
             "bridge-owns-port m2 2"});
  table.changed(
      "bridges in a chain close none",
      [](Cluster& c) {
        bridged(c, 0, {0});
        bridged(c, 1, {0, 1});
        bridged(c, 2, {1});
      },
      {"bridge-owns-port m1 1", "bridge-owns-port m2 1", "bridge-owns-port m2 2", "bridge-owns-port m3 2"});
  table.changed("exo manages a port",
                [](Cluster& c) { c.machines[1].services = {"EXO Thunderbolt 5|Thunderbolt 5|en6"}; },
                {"foreign-manager m2 5"});
  table.changed("two services on a port",
                [](Cluster& c) { c.machines[1].services = {"Earlier Link|Thunderbolt 1|en2"}; },
                {"foreign-manager m2 1"});
  table.changed("two services on a port, one of them switched off",
                [](Cluster& c) { c.machines[1].services = {"Earlier Link|Thunderbolt 1|en2"}; }, {});
  replace_after(table.all.back().probes[1].files["service_order.txt"].bytes, "Thunderbolt 6, Device",
                "(8) Earlier", "(*) Earlier");
  table.changed("another program's service elsewhere",
                [](Cluster& c) { c.machines[1].services = {"Tailscale|io.tailscale|"}; }, {});
  table.changed(
      "Internet Sharing over a cable",
      [](Cluster& c) {
        c.machines[2].routes = {"default            172.31.240.1       UGScIg                en2       "};
      },
      {"internet-sharing m3 1"});
  table.changed("a port in the bridge of Internet Sharing", [](Cluster& c) { bridged(c, 0, {0}); },
                {"internet-sharing m1 1"});
  replace_after(table.all.back().probes[0].files["ifconfig.txt"].bytes, "bridge0", "bridge0", "bridge100");
  table.changed("addresses that the machines gave themselves",
                [](Cluster& c) {
                  c.machines[0].ports[0].addresses = {{"169.254.10.1", 16}};
                  c.machines[1].ports[0].addresses = {{"169.254.200.7", 16}};
                },
                {});
  table.changed(
      "a second default route elsewhere",
      [](Cluster& c) {
        c.machines[2].routes = {"default            10.9.0.1           UGScIg                en1       "};
      },
      {});
  table.changed("reached over a cable", [](Cluster& c) { c.machines[0].ssh_ip = "172.31.240.1"; },
                {"management-on-cable m1 1"});
  table.changed(
      "an interface without a name", [](Cluster& c) { c.machines[2].ports[1].listed = false; },
      {"port-without-interface m3 2"}, 1);
  table.changed("an uncabled port without a name", [](Cluster& c) { c.machines[2].ports[4].listed = false; },
                {});
}

void add_hosts(Table& table) {
  table.changed("a machine that sleeps", [](Cluster& c) { c.machines[0].sleep_minutes = 10; },
                {"sleep-enabled m1"});
  table.changed("sudo with a password", [](Cluster& c) { c.machines[0].sudo = false; }, {"sudo-password m1"});
  table.edited(
      "a machine named twice",
      [](RawProbes& probes) {
        probes.push_back(probes[0]);
        probes.back().node = "m9";
      },
      {"same-machine-twice m9"}, 1);
  table.edited("a cable that only one end sees",
               [](RawProbes& probes) {
                 auto cluster = set_up(mesh_of(3));
                 cluster.cables.erase(cluster.cables.begin());
                 probes[1].files["system_profiler.json"].bytes = sim::system_profiler_json(cluster, 1);
               },
               {"cable-seen-once m2 1"});
  table.edited("a command that prints nonsense",
               [](RawProbes& probes) { probes[0].files["pmset.txt"].bytes = "nonsense"; },
               {"unreadable-probe m1"});
  table.edited(
      "no Thunderbolt tree", [](RawProbes& probes) { probes[0].files.erase("system_profiler.json"); },
      {"no-thunderbolt-tree m1"}, 1);
  table.edited("two pasted outputs a machine",
               [](RawProbes& probes) {
                 for (auto& node : probes) {
                   const std::map<std::string, ProbeOutput> pasted = {
                       {"system_profiler.json", node.files["system_profiler.json"]},
                       {"hardware_ports.txt", node.files["hardware_ports.txt"]}};
                   node.files = pasted;
                 }
               },
               {});
  table.edited("text where there is no JSON",
               [](RawProbes& probes) {
                 const auto cluster = set_up(mesh_of(3));
                 for (std::size_t i = 0; i < 3; ++i) {
                   probes[i].files.erase("system_profiler.json");
                   probes[i].files["system_profiler.txt"].bytes = sim::system_profiler_text(cluster, i);
                 }
               },
               {});
  table.changed("two things at once",
                [](Cluster& c) {
                  c.cables[0].gbps = 40;
                  c.machines[2].sudo = false;
                },
                {"cable-slow m1 1", "sudo-password m3"});
  table.changed("names that are markup",
                [](Cluster& c) {
                  c.machines[0].name = "<b>&\"m'1";
                  c.machines[1].name = "m\xC3\xBC\xE2\x82\xAC";
                  c.machines[2].ports[5].drive = "<script>alert(1)</script>\x1b[31m";
                },
                {});
}

}  // namespace

std::vector<Scenario> scenarios() {
  Table table;
  add_shapes(table);
  add_hardware(table);
  add_rdma(table);
  add_network(table);
  add_hosts(table);
  return std::move(table.all);
}

std::vector<std::string> arguments(const Request& request) {
  std::vector<std::string> flags;
  if (request.backend) flags = {"--backend", std::string(hostfile::to_string(*request.backend))};
  if (request.over == Over::ethernet) flags.insert(flags.end(), {"--over", "ethernet"});
  if (request.allow_subset) flags.emplace_back("--allow-subset");
  return flags;
}

}  // namespace jackal::tbdiscovery::test
