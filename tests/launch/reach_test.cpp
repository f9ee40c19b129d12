#include "launch/reach.hpp"

#include "launch/address.hpp"
#include "launch/fixture.hpp"

namespace jackal::launch {
namespace {

using Facts = std::vector<NodeFacts>;

Reach reach_of(const Words& args, const Facts& facts, const std::optional<std::string>& json = std::nullopt) {
  return must(find_addresses(layout_of(args, json), facts));
}

Error no_reach(const Words& args, const Facts& facts, const std::optional<std::string>& json = std::nullopt) {
  return must_fail(find_addresses(layout_of(args, json), facts));
}

}  // namespace

TEST_CASE("the host file's addresses are taken as they are", "[reach]") {
  const Reach reach = reach_of({}, {{"1.1.1.1", "", {}}, {"2.2.2.2", "", {}}},
                               R"([{"ssh": "a", "ips": ["10.0.0.1", "10.1.0.1"]}, {"ssh": "b"}])");
  CHECK(reach.ips == std::vector<Words>{{"10.0.0.1", "10.1.0.1"}, {"2.2.2.2"}});
  CHECK(reach.coordinator == "10.0.0.1");
}

TEST_CASE("a host without addresses has the one that our connection reached", "[reach]") {
  const Reach reach = reach_of({"--hosts", "a,b"}, {{"10.0.0.1", "9.9.9.9", {}}, {"10.0.0.2", "", {}}});
  CHECK(reach.ips == std::vector<Words>{{"10.0.0.1"}, {"10.0.0.2"}});
  CHECK(reach.coordinator == "10.0.0.1");
}

TEST_CASE("behind a jump host the source of the default route counts", "[reach]") {
  CHECK(reach_of({"--hosts", "a,b"}, {{"", "10.0.0.1", {}}, {"10.0.0.2", "", {}}}).coordinator == "10.0.0.1");
  const Error error = no_reach({"--hosts", "a,b"}, {{"10.0.0.1", "", {}}, {"", "", {}}});
  CHECK(error.where == "b");
  CHECK(error.hint.find("\"ips\"") != std::string::npos);
}

TEST_CASE("a job on one machine does with an address that only it reaches", "[reach]") {
  CHECK(reach_of({"-n", "2"}, {{"127.0.0.1", "10.0.0.1", {}}}).ips ==
        std::vector<Words>{{"127.0.0.1"}, {"127.0.0.1"}});
  CHECK(reach_of({"--hosts", "a", "-n", "2"}, {{"", "", {}}}).coordinator == "127.0.0.1");
}

TEST_CASE("aliases of this machine are one machine", "[reach]") {
  CHECK(reach_of({"--hosts", "a,b"}, {{"127.0.0.1", "", {}}, {"127.0.0.1", "", {}}}).ips ==
        std::vector<Words>{{"127.0.0.1"}, {"127.0.0.1"}});
}

TEST_CASE("beside other machines this one takes part at an address that they reach", "[reach]") {
  const Facts facts{{"127.0.0.1", "192.168.1.5", {}}, {"192.168.1.6", "", {}}};
  const Reach reach = reach_of({"--hosts", "127.0.0.1,mac"}, facts);
  CHECK(reach.ips == std::vector<Words>{{"192.168.1.5"}, {"192.168.1.6"}});
  CHECK(reach.coordinator == "192.168.1.5");
  CHECK(reach.notes == Words{"127.0.0.1 takes part as 192.168.1.5"});
}

TEST_CASE("an address that peers cannot reach is an error with advice", "[reach]") {
  const Facts facts{{"127.0.0.1", "", {}}, {"192.168.1.6", "", {}}};
  CHECK(no_reach({"--hosts", "127.0.0.1,mac"}, facts).what ==
        "its address 127.0.0.1 is one that other hosts cannot reach");
  const std::string json = R"([{"ssh": "a", "ips": ["127.0.0.1"]}, {"ssh": "b", "ips": ["10.0.0.2"]}])";
  const Error error = no_reach({}, {{"10.0.0.1", "10.0.0.1", {}}, {"10.0.0.2", "", {}}}, json);
  CHECK(error.code == ErrorCode::bad_input);
  CHECK(error.where == "a");
}

TEST_CASE("a link-local address says nothing to others", "[reach]") {
  const Facts facts{{"fe80::1%en0", "10.0.0.1", {}}, {"10.0.0.2", "", {}}};
  CHECK(reach_of({"--hosts", "a.local,b"}, facts).coordinator == "10.0.0.1");
}

TEST_CASE("MLX gets IPv4 where there is a choice, the coordinator is what we reached", "[reach]") {
  const Facts facts{{"2001:db8::1", "10.0.0.1", {}}, {"10.0.0.2", "", {}}};
  const Reach reach = reach_of({"--hosts", "a,b"}, facts);
  CHECK(reach.ips[0] == Words{"10.0.0.1"});
  CHECK(reach.coordinator == "2001:db8::1");
}

TEST_CASE("addresses are told apart", "[address]") {
  CHECK(address_family("10.0.0.1") == AddressFamily::ipv4);
  CHECK(address_family("fe80::1%en0") == AddressFamily::ipv6);
  CHECK(address_family("mac1") == AddressFamily::none);
  CHECK(is_loopback("127.3.2.1"));
  CHECK(is_loopback("::1"));
  CHECK_FALSE(is_loopback("128.0.0.1"));
  CHECK_FALSE(is_loopback("localhost"));
  CHECK(is_ipv6_link_local("febf::1"));
  CHECK_FALSE(is_ipv6_link_local("fec0::1"));
  CHECK(with_port("10.0.0.1", "80") == "10.0.0.1:80");
  CHECK(with_port("::1", "80") == "[::1]:80");
}

}  // namespace jackal::launch
