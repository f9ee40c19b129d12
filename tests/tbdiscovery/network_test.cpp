#include "jackal/tbdiscovery/report.hpp"
#include "support/catch.hpp"
#include "tbdiscovery/fixtures.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;

namespace {

std::string device_of(const std::string& capture, const std::string& port) {
  const auto report = parse(probes_of("m", {{"hardware_ports.txt", fixture("networksetup/" + capture)}}));
  for (const auto& known : report.hardware_ports.value()) {
    if (known.name == port) return known.device;
  }
  return "";
}

NodeReport with_ifconfig(const std::string& capture) {
  return parse(probes_of("m", {{"ifconfig.txt", fixture("ifconfig/" + capture)}}));
}

}  // namespace

TEST_CASE("hardware ports are joined by their name, whatever their order and numbers") {
  CHECK(device_of("mbp-m5max-en1-en6-en2-bridge-present.txt", "Thunderbolt 1") == "en1");
  CHECK(device_of("mbp-m5max-en1-en6-en2-bridge-present.txt", "Thunderbolt 2") == "en6");
  CHECK(device_of("mbp-m5max-en1-en6-en2-bridge-present.txt", "Thunderbolt 3") == "en2");
  CHECK(device_of("macbook-3port-macB-bridge-present-redacted.txt", "Thunderbolt 2") == "en6");
  CHECK(device_of("mac-6port-macA-bridge-deleted-redacted.txt", "Thunderbolt 6") == "en7");
  CHECK(device_of("mac-6port-macA-bridge-deleted-redacted.txt", "Thunderbolt Bridge").empty());
  CHECK(device_of("mbp-intel-tb3-4port-bridge-last.txt", "Thunderbolt Bridge") == "bridge0");
  CHECK(device_of("studio-m4max-bridge-present.txt", "Thunderbolt 4") == "en5");
  CHECK(device_of("studio-m4max-bridge-present.txt", "Thunderbolt Ethernet Slot 1") == "en10");
}

TEST_CASE("a table of ports folded into lines, with a number missing") {
  const auto* capture = "FRAGMENT-unknown-mac-tb-1-2-4-bridge-present-devices-only.txt";
  CHECK(device_of(capture, "Thunderbolt 4") == "en4");
  CHECK(device_of(capture, "Thunderbolt 3").empty());
  CHECK(device_of(capture, "Ethernet Adapter (en10)") == "en10");
}

TEST_CASE("network services are told from the ports that they use") {
  const auto services =
      parse(probes_of("m", {{"service_order.txt",
                             fixture("networksetup/listnetworkserviceorder-macA-6port-redacted.txt")}}))
          .services.value();
  REQUIRE(services.size() == 11);
  CHECK(services[2] == NetworkService{"Earlier Cluster Bridge", "Thunderbolt 3", "en4", true});
  CHECK(services[10] == NetworkService{"Tailscale", "io.tailscale.ipn.macsys", "", true});
  const auto bridge =
      parse(probes_of(
                "m", {{"service_order.txt",
                       fixture("networksetup/listnetworkserviceorder-macB-bridge-owns-ports-redacted.txt")}}))
          .services.value();
  REQUIRE(bridge.size() == 7);
  CHECK(bridge[1] == NetworkService{"USB 10/100/1000 LAN", "USB 10/100/1000 LAN", "en10", true});
  CHECK(bridge[2] == NetworkService{"Thunderbolt Bridge", "Thunderbolt Bridge", "bridge0", true});
  const auto off = parse(
      probes_of("m", {{"service_order.txt",
                       "An asterisk (*) denotes that a network service is disabled.\n(*) Thunderbolt 2\n"
                       "(Hardware Port: Thunderbolt 2, Device: en3)\n"}}));
  CHECK(off.services.value() ==
        std::vector<NetworkService>{{"Thunderbolt 2", "Thunderbolt 2", "en3", false}});
}

TEST_CASE("an interface with a self-assigned address") {
  const auto report = with_ifconfig("en2-tb5-apipa-active-tn3205.txt");
  const Interface* en2 = find_interface(report, "en2");
  REQUIRE(en2);
  CHECK(en2->up);
  CHECK(en2->active == true);
  CHECK(en2->mtu == 1500);
  CHECK(en2->mac == "36:4d:04:ea:4e:40");
  CHECK(en2->addresses == std::vector<InterfaceAddress>{{*parse_ipv4("169.254.205.255"), 16}});
  CHECK(en2->ipv6 == std::vector<std::string>{"fe80::1021:1bac:fe1:b5e3"});
}

TEST_CASE("bridges and their members") {
  const auto tn = with_ifconfig("FRAGMENT-bridge0-tn3205.txt");
  CHECK(find_interface(tn, "bridge0")->members == std::vector<std::string>{"en2", "en3", "en4"});
  CHECK(bridge_of(tn, "en3") == "bridge0");
  CHECK(bridge_of(tn, "en9").empty());
  const auto promiscuous = with_ifconfig("FRAGMENT-en1-en2-promisc-bridge0-inactive.txt");
  CHECK(find_interface(promiscuous, "en1")->active == false);
  CHECK(find_interface(promiscuous, "bridge0")->members == std::vector<std::string>{"en1", "en2", "en3"});
  CHECK(bridge_of(with_ifconfig("FRAGMENT-en0-bridge0-3members.txt"), "en1") == "bridge0");
  const auto fixed = with_ifconfig("bridge0-mtu9000-static-ip-mlx1903.txt");
  CHECK(find_interface(fixed, "bridge0")->mtu == 9000);
  CHECK(find_interface(fixed, "bridge0")->addresses ==
        std::vector<InterfaceAddress>{{*parse_ipv4("10.25.0.1"), 24}});
}

TEST_CASE("routes: what BSD leaves out of a destination is filled in") {
  const auto routes =
      parse(probes_of(
                "m", {{"routes.txt", fixture("routes/netstat-rn-macA-tb-dhcp-second-default-redacted.txt")}}))
          .routes.value();
  REQUIRE(routes.size() == 11);
  CHECK(routes[0] == Route{true, {}, parse_ipv4("192.0.2.1"), "en1"});
  CHECK(routes[1] == Route{true, {}, parse_ipv4("198.51.100.1"), "en7"});
  CHECK(routes[2] == Route{true, {}, std::nullopt, "utun4"});
  CHECK(to_string(routes[3].to) == "100.64.0.0/10");
  CHECK(to_string(routes[4].to) == "127.0.0.0/8");
  CHECK(to_string(routes[5].to) == "169.254.0.0/16");
  CHECK(to_string(routes[7].to) == "192.0.2.0/24");
  CHECK(to_string(routes[9].to) == "198.51.100.1/32");
  const auto bridged =
      parse(probes_of("m", {{"routes.txt", fixture("routes/netstat-rn-macB-bridge-default-redacted.txt")}}));
  CHECK(bridged.routes->size() == 8);
  CHECK(bridged.routes->at(1).interface == "bridge0");
}

TEST_CASE("the short outputs") {
  const auto report = parse(probes_of(
      "m", {{"os.txt", "Darwin 25.2.0\n"},
            {"sysctl.txt", "hw.model: Mac15,14\nhw.memsize: 549755813888\nhw.ncpu: 32\n"},
            {"sw_vers.txt", "ProductName:\t\tmacOS\nProductVersion:\t\t26.2\nBuildVersion:\t\t25C56\n"},
            {"pmset.txt",
             "System-wide power settings:\nCurrently in use:\n standby              0\n"
             " sleep                10 (sleep prevented by caffeinate)\n displaysleep         10\n"},
            {"sudo.txt", "1\n"},
            {"lan_ip.txt", "10.0.0.5\n10.0.0.6\n"}}));
  CHECK(report.system == System::macos);
  CHECK(report.model == "Mac15,14");
  CHECK(report.memory_bytes == 549755813888U);
  CHECK(report.cores == 32);
  CHECK(report.os_version == "26.2");
  CHECK(report.sleep_minutes == 10);
  CHECK(report.sudo == false);
  CHECK(to_string(*report.ssh_address) == "10.0.0.5");
  CHECK(to_string(*report.default_source) == "10.0.0.6");
  CHECK(report.findings.empty());
  CHECK(parse(probes_of("m", {{"pmset.txt", " SleepDisabled\t\t1\n sleep 10\n"}})).sleep_minutes == 0);
  CHECK(parse(probes_of("m", {{"lan_ip.txt", "\n10.0.0.6\n"}})).default_source == parse_ipv4("10.0.0.6"));
}

TEST_CASE("a command that gave nothing is not an answer, and garbage is a finding") {
  const auto silent =
      parse(probes_of("m", {{"ibv_devices.txt", ""}, {"rdma_ctl.txt", "\n"}, {"sudo.txt", " "}}));
  CHECK(!silent.rdma_devices);
  CHECK(!silent.rdma_enabled);
  CHECK(!silent.sudo);
  CHECK(silent.findings.empty());
  for (const auto file : probe_file_names()) {
    if (file == "os.txt" || file == "lan_ip.txt") continue;
    const auto report = parse(probes_of("m", {{std::string(file), "zsh: command not found"}}));
    INFO(file);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].file == file);
  }
}
