#include "jackal/tbdiscovery/report.hpp"
#include "support/catch.hpp"
#include "tbdiscovery/fixtures.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;

namespace {

constexpr const char* kThunderbolt =
    "/sys/bus/thunderbolt/devices/0-0/unique_id:d2030000-0080-7f08-23d8-8c4b1b01e1ff\n"
    "/sys/bus/thunderbolt/devices/0-0/device_name:XPS 13\n"
    "/sys/bus/thunderbolt/devices/0-0/generation:4\n"
    "/sys/bus/thunderbolt/devices/0-0/usb4_port1/link:usb4\n"
    "/sys/bus/thunderbolt/devices/0-0/usb4_port3/link:none\n"
    "/sys/bus/thunderbolt/devices/0-1/unique_id:00000003-0000-4000-8000-00000000000a\n"
    "/sys/bus/thunderbolt/devices/0-1/device_name:Mac17,6\n"
    "/sys/bus/thunderbolt/devices/0-1/vendor_name:Apple Inc.\n"
    "/sys/bus/thunderbolt/devices/0-1/rx_speed:20.0 Gb/s\n"
    "/sys/bus/thunderbolt/devices/0-1/rx_lanes:2\n"
    "/sys/bus/thunderbolt/devices/0-1.0/key:network\n"
    "/sys/bus/thunderbolt/devices/0-1.0/prtcid:1\n"
    "/sys/bus/thunderbolt/devices/0-1.0/net/thunderbolt0/address:02:8b:1c:00:00:01\n";

}  // namespace

TEST_CASE("a Linux machine with a Mac on its first port") {
  const auto report =
      parse(probes_of("m", {{"os.txt", "Linux 6.14.0\n"}, {"thunderbolt.txt", kThunderbolt}}));
  CHECK(report.system == System::linux_);
  REQUIRE(report.buses.value().size() == 1);
  const Bus& bus = report.buses->at(0);
  CHECK(bus.machine == "XPS 13");
  CHECK(bus.domain_uuid == "D2030000-0080-7F08-23D8-8C4B1B01E1FF");
  REQUIRE(bus.receptacles.size() == 2);
  CHECK(bus.receptacles[0] == Receptacle{"0-1", true, "40 Gb/s", 40, true});
  CHECK(bus.receptacles[1] == Receptacle{"0-3", false, "Up to 40 Gb/s", 40, false});
  REQUIRE(bus.devices.size() == 1);
  CHECK(bus.devices[0].computer);
  CHECK(bus.devices[0].receptacle == "0-1");
  CHECK(bus.devices[0].domain_uuid == "00000003-0000-4000-8000-00000000000A");
  CHECK(bus.devices[0].services_known);
  CHECK(!bus.devices[0].offers_rdma);
  CHECK(report.hardware_ports.value() ==
        std::vector<HardwarePort>{{"0-1", "thunderbolt0", "02:8b:1c:00:00:01"}});
}

TEST_CASE("a machine behind a dock hangs below the dock") {
  const auto report = parse(probes_of(
      "m",
      {{"thunderbolt.txt",
        "/sys/bus/thunderbolt/devices/1-0/unique_id:aa\n"
        "/sys/bus/thunderbolt/devices/1-3/authorized:1\n/sys/bus/thunderbolt/devices/1-3/device_name:Dock\n"
        "/sys/bus/thunderbolt/devices/1-103/unique_id:bb\n/sys/bus/thunderbolt/devices/1-103.1/"
        "prtcid:64087\n"}}));
  const Device& dock = report.buses.value().at(0).devices.at(0);
  CHECK(!dock.computer);
  CHECK(dock.receptacle == "1-3");
  CHECK(dock.behind.at(0).domain_uuid == "BB");
  CHECK(dock.behind.at(0).offers_rdma);
}

TEST_CASE("RDMA devices below /sys") {
  const auto report = parse(
      probes_of("m", {{"infiniband.txt",
                       "/sys/class/infiniband/rxe0/node_guid:5054:00ff:fe12:3456\n"
                       "/sys/class/infiniband/rxe0/ports/1/state:4: ACTIVE\n"
                       "/sys/class/infiniband/rxe0/ports/1/gids/0:fe80:0000:0000:0000:5054:00ff:fe12:3456\n"
                       "/sys/class/infiniband/rxe0/ports/1/gids/1:0000:0000:0000:0000:0000:ffff:0a00:0001\n"
                       "/sys/class/infiniband/rxe0/ports/1/gids/2:0000:0000:0000:0000:0000:0000:0000:0000\n"
                       "/sys/class/infiniband/rxe0/ports/1/gid_attrs/ndevs/0:thunderbolt0\n"}}));
  REQUIRE(report.rdma_devices.value().size() == 1);
  const RdmaDevice& device = report.rdma_devices->at(0);
  CHECK(device.interface == "thunderbolt0");
  CHECK(device.state == PortState::active);
  REQUIRE(device.gids.size() == 2);
  CHECK(to_string(mapped_ipv4(device.gids[1]).value()) == "10.0.0.1");
}

TEST_CASE("addresses and routes of ip -json") {
  const auto report = parse(probes_of(
      "m",
      {{"ip_addr.json",
        R"([{"ifname":"thunderbolt0","flags":["BROADCAST","UP"],"mtu":65520,"operstate":"UP","master":"br0",
                  "address":"02:8b:1c:00:00:01","addr_info":[{"family":"inet","local":"10.1.0.1","prefixlen":30},
                  {"family":"inet6","local":"fe80::1","prefixlen":64}]},{"ifname":"br0","operstate":"DOWN"}, 7])"},
       {"ip_route.json",
        R"([{"dst":"default","gateway":"10.0.0.1","dev":"eth0"},{"dst":"10.1.0.0/30","dev":"thunderbolt0"},
                 {"dst":"10.9.0.7","dev":"wg0"},{"dst":"nonsense"}])"}}));
  const Interface* link = find_interface(report, "thunderbolt0");
  REQUIRE(link);
  CHECK(link->up);
  CHECK(link->active == true);
  CHECK(link->mtu == 65520);
  CHECK(link->addresses == std::vector<InterfaceAddress>{{*parse_ipv4("10.1.0.1"), 30}});
  CHECK(bridge_of(report, "thunderbolt0") == "br0");
  REQUIRE(report.routes.value().size() == 3);
  CHECK(report.routes->at(0) == Route{true, {}, parse_ipv4("10.0.0.1"), "eth0"});
  CHECK(to_string(report.routes->at(2).to) == "10.9.0.7/32");
}

TEST_CASE("the short outputs of Linux") {
  const auto report = parse(
      probes_of("m", {{"sysctl.txt", "nproc: 16\nMemTotal:       65536 kB\nproduct name: XPS 13 9310\n"},
                      {"sw_vers.txt",
                       "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n"
                       "VERSION_ID=\"12\"\n"}}));
  CHECK(report.cores == 16);
  CHECK(report.memory_bytes == 65536U * 1024);
  CHECK(report.model == "XPS 13 9310");
  CHECK(report.os_name == "Debian GNU/Linux");
  CHECK(report.os_version == "12");
}
