// The made-up Macs print what real ones print: the same keys, separators and order as the captures.
#include <nlohmann/json.hpp>
#include <set>

#include "simmac/cluster.hpp"
#include "support/catch.hpp"
#include "tbdiscovery/fixtures.hpp"
#include "tbdiscovery/shapes.hpp"

using namespace jackal::tbdiscovery::test;
namespace sim = jackal::simmac;
using nlohmann::json;

namespace {

/// The keys of every kind of object in a Thunderbolt tree: "bus: _name …".
void collect_keys(const json& value, const std::string& kind, std::set<std::string>& keys) {
  if (value.is_array()) {
    for (const auto& element : value) collect_keys(element, kind, keys);
  } else if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) {
      keys.insert(kind + ": " + key);
      const bool peer = key == "_items" && !inner.empty() && inner[0].contains("services_title");
      collect_keys(inner,
                   key == "_items"                  ? (peer ? "peer" : "device")
                   : key == "SPThunderboltDataType" ? "bus"
                                                    : key,
                   keys);
    }
  }
}

std::set<std::string> keys_of(const std::string& bytes) {
  std::set<std::string> keys;
  collect_keys(json::parse(bytes), "", keys);
  return keys;
}

/// A MacBook Pro with a peer on port 2 and a drive on port 3, as in the captures.
sim::Cluster captured() {
  sim::Cluster cluster{
      {sim::macbook("a", "10.0.0.1"), sim::macbook("b", "10.0.0.2")}, {{{0, 1}, {1, 1}, 80, {}}}, {}};
  cluster.machines[0].ports[2].drive = "TBU405Pro";
  return cluster;
}

}  // namespace

TEST_CASE("system_profiler's JSON has the keys of the captures, object by object") {
  auto cluster = captured();
  cluster.machines[1].rdma = false;
  CHECK(keys_of(sim::system_profiler_json(cluster, 0)) ==
        keys_of(fixture("system_profiler_json/mbp-m5max-peer-rdma-on-tb3drive-and-peer.json")));
}

TEST_CASE("system_profiler's JSON keeps Apple's spacing") {
  const auto text = sim::system_profiler_json(captured(), 0);
  CHECK(text.find("{\n  \"SPThunderboltDataType\" : [\n    {\n") == 0);
  CHECK(fixture("system_profiler_json/FRAGMENT-mbp-tb4-unplugged-bus2.json")
            .find("\"SPThunderboltDataType\" : [") != std::string::npos);
}

TEST_CASE("the short tables are those of the captures, byte for byte") {
  sim::Cluster off = captured();
  off.machines[0].rdma = false;
  CHECK(sim::ibv_devices(off, 0) == fixture("ibv/ibv_devices-rdma-disabled-header-only.txt"));
  const auto capture = fixture("ibv/ibv_devices-mbp-m5max-en1-en6-en2.txt");
  const auto made = sim::ibv_devices(captured(), 0);
  // The GUIDs differ, all else does not.
  const auto without_guids = [](std::string text) {
    for (auto at = text.find("rdma_"); at != std::string::npos; at = text.find("rdma_", at + 1)) {
      const auto tab = text.find('\t', at);
      text.erase(tab + 1, 16);
    }
    return text;
  };
  CHECK(without_guids(made) == without_guids(capture));
}

TEST_CASE("hardware ports, services, interfaces and routes have the captures' lines") {
  auto cluster = captured();
  cluster.machines[0].bridge = true;
  cluster.machines[0].ports[0].in_bridge = true;
  const auto ports = sim::hardware_ports(cluster, 0);
  CHECK(ports.find("\nHardware Port: Thunderbolt 2\nDevice: en6\nEthernet Address: ") != std::string::npos);
  CHECK(ports.substr(ports.size() - 41) == "\nVLAN Configurations\n===================\n");
  CHECK(sim::service_order(sim::services(cluster, 0))
            .find("(2) Thunderbolt Bridge\n(Hardware Port: Thunderbolt Bridge, Device: bridge0)\n\n") !=
        std::string::npos);
  const auto member = std::string(
      "\tmember: en1 flags=3<LEARNING,DISCOVER>\n\t        ifmaxaddr 0 port 11 priority 0 path cost 0\n");
  CHECK(fixture("ifconfig/FRAGMENT-en1-en2-promisc-bridge0-inactive.txt").find(member) != std::string::npos);
  CHECK(sim::ifconfig(cluster, 0).find(member) != std::string::npos);
  const auto head = std::string(
      "Routing tables\n\nInternet:\nDestination        Gateway            Flags               Netif "
      "Expire\n");
  CHECK(fixture("routes/netstat-rn-macB-bridge-default-redacted.txt").find(head) == 0);
  CHECK(sim::routes(cluster, 0).find(head) == 0);
}
