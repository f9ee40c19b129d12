#include "jackal/tbdiscovery/report.hpp"
#include "support/catch.hpp"
#include "tbdiscovery/fixtures.hpp"

using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;

namespace {

NodeReport with(const std::string& file, const std::string& capture) {
  return parse(probes_of("m", {{file, fixture("ibv/" + capture)}}));
}

std::vector<std::string> names(const NodeReport& report) {
  std::vector<std::string> all;
  for (const auto& device : report.rdma_devices.value()) all.push_back(device.name);
  return all;
}

}  // namespace

TEST_CASE("RDMA devices, in whatever order and spacing they are listed") {
  using Names = std::vector<std::string>;
  CHECK(names(with("ibv_devices.txt", "ibv_devices-studio-m3ultra-mlxdocs.txt")) ==
        Names{"rdma_en2", "rdma_en3", "rdma_en5", "rdma_en4", "rdma_en6", "rdma_en7"});
  CHECK(names(with("ibv_devices.txt", "ibv_devices-mini-m4pro-tn3205.txt")) ==
        Names{"rdma_en2", "rdma_en3", "rdma_en4"});
  CHECK(names(with("ibv_devices.txt", "ibv_devices-mini-m4pro-mlx2944-masked.txt")) ==
        Names{"rdma_en2", "rdma_en3", "rdma_en4"});
  CHECK(names(with("ibv_devices.txt", "ibv_devices-mbp-m5max-en1-en6-en2.txt")) ==
        Names{"rdma_en1", "rdma_en6", "rdma_en2"});
  CHECK(with("ibv_devices.txt", "ibv_devices-studio-m3ultra-mlxdocs.txt").rdma_devices->at(2).guid ==
        "8396a9d9edbaac05");
}

TEST_CASE("a header alone says that there is no device, which is an answer") {
  for (const auto* capture : {"ibv_devices-rdma-disabled-header-only.txt",
                              "ibv_devices-tb4-mac-rdma-ctl-enabled-header-only.txt"}) {
    const auto report = with("ibv_devices.txt", capture);
    CHECK(report.rdma_devices.value().empty());
    CHECK(report.findings.empty());
  }
  const auto none = parse(probes_of("m", {{"ibv_devinfo.txt", "No IB devices found\n"}}));
  CHECK(none.rdma_devices.value().empty());
  CHECK(none.findings.empty());
}

TEST_CASE("all ports of a Mac are down while its peer has RDMA disabled") {
  const auto report = with("ibv_devinfo.txt", "ibv_devinfo-mbp-m5max-all-port-down-peer-rdma-disabled.txt");
  CHECK(names(report) == std::vector<std::string>{"rdma_en1", "rdma_en6", "rdma_en2"});
  for (const auto& device : *report.rdma_devices) {
    CHECK(device.state == PortState::down);
    CHECK(!device.gids_known);
  }
  CHECK(report.rdma_devices->at(1).guid == "0000:0000:0000:0003");
}

TEST_CASE("states and GIDs in Apple's documentation") {
  const auto active = with("ibv_devinfo.txt", "FRAGMENT-ibv_devinfo-mini-m4pro-tn3205.txt");
  CHECK(names(active) == std::vector<std::string>{"rdma_en2", "rdma_en3", "rdma_en4"});
  CHECK(active.rdma_devices->at(2).state == PortState::active);
  const auto gids = with("ibv_devinfo.txt", "FRAGMENT-ibv_devinfo-v-gids-tn3205.txt");
  REQUIRE(gids.rdma_devices->size() == 1);
  const RdmaDevice& device = gids.rdma_devices->at(0);
  CHECK(device.guid == "9093:3a23:2588:ac05");
  CHECK(device.state == PortState::active);
  REQUIRE(device.gids.size() == 3);
  CHECK(!mapped_ipv4(device.gids[0]));
  CHECK(to_string(mapped_ipv4(device.gids[1]).value()) == "169.254.205.255");
  CHECK(device.gids[2] == Gid{2, "fe80::1021:1bac:fe1:b5e3"});
}

TEST_CASE("abbreviated reports of GIDs and states") {
  const auto no_ipv4 = with("ibv_devinfo.txt", "FRAGMENT-ibv_devinfo-gid-no-ipv4-mlx4191.txt");
  CHECK(no_ipv4.rdma_devices.value().at(0).name == "rdma_en3");
  CHECK(no_ipv4.rdma_devices->at(0).gids == std::vector<Gid>{{0, "fe80::347c:94ff:fecd:45c4"}});
  CHECK(names(with("ibv_devinfo.txt", "FRAGMENT-ibv_devinfo-grep-active-tb5toolkit.txt")) ==
        std::vector<std::string>{"rdma_en3", "rdma_en4"});
  CHECK(names(with("ibv_devinfo.txt", "FRAGMENT-ibv_devinfo-v-limits-mlxcluster-nix.txt")) ==
        std::vector<std::string>{"rdma_en2"});
}

TEST_CASE("a verbose report without a GID line says that the table is empty") {
  const auto report =
      parse(probes_of("m", {{"ibv_devinfo.txt",
                             "hca_id:\trdma_en2\n\t\tport:\t1\n\t\t\tstate:\t\t\tPORT_ACTIVE (4)\n"
                             "\t\t\tactive_width:\t\t8X (4)\n"}}));
  CHECK(report.rdma_devices->at(0).gids_known);
  CHECK(report.rdma_devices->at(0).gids.empty());
}

TEST_CASE("the devices of both commands are merged by name") {
  const auto report = parse(probes_of(
      "m", {{"ibv_devices.txt", fixture("ibv/ibv_devices-mbp-m5max-en1-en6-en2.txt")},
            {"ibv_devinfo.txt", fixture("ibv/ibv_devinfo-mbp-m5max-all-port-down-peer-rdma-disabled.txt")}}));
  REQUIRE(report.rdma_devices->size() == 3);
  CHECK(find_rdma_device(report, "rdma_en6")->guid == "0000000000000002");
  CHECK(find_rdma_device(report, "rdma_en6")->state == PortState::down);
}

TEST_CASE("rdma_ctl says one word") {
  CHECK(with("rdma_ctl.txt", "rdma_ctl_status-enabled.txt").rdma_enabled == true);
  CHECK(parse(probes_of("m", {{"rdma_ctl.txt", "disabled\n"}})).rdma_enabled == false);
}

TEST_CASE("IPv4 in GIDs, in short and in full") {
  CHECK(to_string(mapped_ipv4({0, "0000:0000:0000:0000:0000:ffff:0a00:0001"}).value()) == "10.0.0.1");
  CHECK(to_string(mapped_ipv4({0, "::FFFF:10.0.0.1"}).value()) == "10.0.0.1");
  CHECK(!mapped_ipv4({0, "::ffff:"}));
  CHECK(!mapped_ipv4({0, "fe80::ffff:10.0.0.1"}));
}
