#include "jackal/tbdiscovery/report.hpp"
#include "support/catch.hpp"
#include "tbdiscovery/fixtures.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;

namespace {

std::vector<Bus> buses_of(const std::string& file, const std::string& bytes) {
  const auto report = parse(probes_of("m", {{file, bytes}}));
  REQUIRE(report.buses);
  return *report.buses;
}

const Bus& at_receptacle(const std::vector<Bus>& buses, const std::string& id) {
  for (const auto& bus : buses) {
    if (!bus.receptacles.empty() && bus.receptacles[0].id == id) return bus;
  }
  FAIL("no receptacle " << id);
  return buses.front();
}

}  // namespace

TEST_CASE("a MacBook Pro with a dock and a peer whose RDMA is on") {
  const auto buses = buses_of("system_profiler.json",
                              fixture("system_profiler_json/mbp-m5max-local-rdma-off-dock-and-peer.json"));
  REQUIRE(buses.size() == 3);
  const auto& peer_port = at_receptacle(buses, "2");
  CHECK(peer_port.machine == "MacBook Pro");
  CHECK(peer_port.domain_uuid == "00000004-0000-4000-8000-000000000004");
  CHECK(peer_port.receptacles[0].connected);
  CHECK(peer_port.receptacles[0].gbps == 80);
  CHECK(peer_port.receptacles[0].linked);
  REQUIRE(peer_port.devices.size() == 1);
  const Device& peer = peer_port.devices[0];
  CHECK(peer.computer);
  CHECK(peer.name == "MacBook Pro");
  CHECK(peer.model == "Mac17,6");
  CHECK(peer.domain_uuid == "00000003-0000-4000-8000-000000000003");
  CHECK(peer.services_known);
  CHECK(peer.offers_rdma);

  const auto& dock_port = at_receptacle(buses, "3");
  REQUIRE(dock_port.devices.size() == 1);
  CHECK(!dock_port.devices[0].computer);
  CHECK(dock_port.devices[0].name == "SB-XTM5");
  CHECK(dock_port.devices[0].vendor == "Sabrent");
  CHECK(dock_port.devices[0].gbps == 80);

  const auto& free_port = at_receptacle(buses, "1");
  CHECK(!free_port.receptacles[0].connected);
  CHECK(free_port.receptacles[0].gbps == 120);
  CHECK(!free_port.receptacles[0].linked);
  CHECK(free_port.devices.empty());
}

TEST_CASE("the same cable from the other end shows that RDMA is off over there") {
  const auto buses = buses_of("system_profiler.json",
                              fixture("system_profiler_json/mbp-m5max-peer-rdma-on-tb3drive-and-peer.json"));
  const Device& peer = at_receptacle(buses, "2").devices.at(0);
  CHECK(peer.domain_uuid == "00000004-0000-4000-8000-000000000004");
  CHECK(peer.services_known);
  CHECK(!peer.offers_rdma);
  CHECK(at_receptacle(buses, "3").devices.at(0).mode == "thunderbolt_three");
}

TEST_CASE("one bus of a Thunderbolt 4 MacBook Pro") {
  const auto buses =
      buses_of("system_profiler.json", fixture("system_profiler_json/FRAGMENT-mbp-tb4-unplugged-bus2.json"));
  REQUIRE(buses.size() == 1);
  CHECK(buses[0].receptacles[0].id == "3");
  CHECK(buses[0].receptacles[0].gbps == 40);
  CHECK(!buses[0].receptacles[0].linked);
}

TEST_CASE("the text form of a Mac Studio with a dock and two drives") {
  const auto buses =
      buses_of("system_profiler.txt", fixture("system_profiler_text/studio-m4max-4port-dock-raid.txt"));
  REQUIRE(buses.size() == 4);
  CHECK(at_receptacle(buses, "4").domain_uuid == "EC998BD2-ED77-4448-AE1D-4FC08908E56E");
  CHECK(at_receptacle(buses, "4").devices.at(0).name == "PRO-G40");
  CHECK(at_receptacle(buses, "4").devices.at(0).gbps == 40);
  CHECK(!at_receptacle(buses, "4").devices.at(0).computer);
  CHECK(at_receptacle(buses, "3").devices.empty());
  CHECK(at_receptacle(buses, "3").receptacles[0].gbps == 120);
  CHECK(!at_receptacle(buses, "3").receptacles[0].connected);
  CHECK(at_receptacle(buses, "2").devices.at(0).name == "TS5 Plus");
  CHECK(at_receptacle(buses, "2").devices.at(0).behind.empty());
  CHECK(at_receptacle(buses, "2").receptacles.size() == 1);
  CHECK(at_receptacle(buses, "1").devices.at(0).vendor == "Promise Technology, Inc.");
}

TEST_CASE("the text form of a Mac mini whose peer publishes RDMA under a readable key") {
  const auto buses =
      buses_of("system_profiler.txt",
               fixture("system_profiler_text/FRAGMENT-mini-m4pro-peer-studio-rdma-service-key.txt"));
  REQUIRE(buses.size() == 2);
  const Device& peer = at_receptacle(buses, "3").devices.at(0);
  CHECK(peer.computer);
  CHECK(peer.name == "Mac Studio");
  CHECK(peer.model == "Mac16,9");
  CHECK(peer.domain_uuid == "88F10ACA-5CAA-4F5D-8361-03EED54ACB5A");
  CHECK(peer.offers_rdma);
  CHECK(buses[1].domain_uuid == "0A3248FD-13DA-4F5B-9167-7C469F35421C");
}

TEST_CASE("a Mac behind two hubs is found where it hangs") {
  const auto buses = buses_of("system_profiler.json", R"({"SPThunderboltDataType":[{
    "_name":"thunderboltusb4_bus_0","domain_uuid_key":"A","receptacle_1_tag":{"receptacle_id_key":"1"},
    "_items":[{"_name":"Hub","switch_uid_key":"0x1","_items":[{"_name":"Dock","switch_uid_key":"0x2",
      "_items":[{"_name":"Mac Studio","domain_uuid_key":"b","services_title":[{"protocol_id_key":1}]}]}]}]}]})");
  const Device& mac = buses.at(0).devices.at(0).behind.at(0).behind.at(0);
  CHECK(mac.computer);
  CHECK(mac.domain_uuid == "B");
}

TEST_CASE("the JSON form wins, the text form helps out, a banner before the JSON is forgiven") {
  const auto json = fixture("system_profiler_json/FRAGMENT-mbp-tb4-unplugged-bus2.json");
  const auto text = fixture("system_profiler_text/studio-m4max-4port-dock-raid.txt");
  CHECK(
      parse(probes_of("m", {{"system_profiler.json", json}, {"system_profiler.txt", text}})).buses->size() ==
      1);
  const auto helped =
      parse(probes_of("m", {{"system_profiler.json", json.substr(0, 300)}, {"system_profiler.txt", text}}));
  CHECK(helped.buses->size() == 4);
  CHECK(helped.findings.size() == 1);
  CHECK(buses_of("system_profiler.json", "Welcome to m3-1!\n" + json).size() == 1);
  CHECK(buses_of("system_profiler.txt", json).size() == 1);
}

TEST_CASE("the text form under the name of the JSON form") {
  const auto text = fixture("system_profiler_text/studio-m4max-4port-dock-raid.txt");
  CHECK(buses_of("system_profiler.json", text).size() == buses_of("system_profiler.txt", text).size());
}

TEST_CASE("stray bytes in a service key do not cost the tree") {
  auto json = fixture("system_profiler_json/mbp-m5max-local-rdma-off-dock-and-peer.json");
  const auto at = json.find("\\u02c7");
  json.replace(at, 6, "\xff\xfe");
  CHECK(at_receptacle(buses_of("system_profiler.json", json), "2").devices.at(0).offers_rdma);
}

TEST_CASE("what is not a tree is a finding, and a bus without domain UUID is kept") {
  for (const auto* wrong : {"nonsense", "{", "{}", "[]", R"({"SPThunderboltDataType":{}})"}) {
    const auto report = parse(probes_of("m", {{"system_profiler.json", wrong}}));
    CHECK(!report.buses);
    CHECK(report.findings.size() == 1);
  }
  const auto report = parse(probes_of(
      "m",
      {{"system_profiler.json",
        R"({"SPThunderboltDataType":[7,{"_name":"bus","receptacle_1_tag":{"receptacle_id_key":2}}]})"}}));
  CHECK(report.buses->at(0).receptacles.at(0).id == "2");
  CHECK(report.findings.size() == 1);
}

TEST_CASE("a device cannot begin a line of its own with its name") {
  const auto buses = buses_of("system_profiler.json", R"({"SPThunderboltDataType": [{"_items": [
    {"_name": "Hub\nsudo reboot\u001b[2J\u0085", "switch_uid_key": "0x1"}]}]})");
  CHECK(buses.at(0).devices.at(0).name == "Hub sudo reboot [2J ");
}

TEST_CASE("nesting without end does not exhaust the stack") {
  std::string json = R"({"SPThunderboltDataType":[)";
  for (int i = 0; i < 20000; ++i) json += R"({"_items":[)";
  for (int i = 0; i < 20000; ++i) json += "]}";
  CHECK(!parse(probes_of("m", {{"system_profiler.json", json + "]}"}})).findings.empty());
  std::string text = "Thunderbolt/USB4 Bus 1:\n";
  for (std::size_t i = 1; i < 3000; ++i) text += std::string(i, ' ') + "a:\n";
  CHECK(parse(probes_of("m", {{"system_profiler.txt", text}})).buses->size() == 1);
}
