#include "jackal/hostfile/hostlist.hpp"

#include "support/catch.hpp"

using jackal::ErrorCode;
using jackal::hostfile::exclude_hosts;
using jackal::hostfile::expand_hosts;
using Strings = std::vector<std::string>;

namespace {

Strings expanded(std::string_view list) {
  const auto hosts = expand_hosts(list, "--hosts");
  return hosts ? *hosts : Strings{hosts.error().text()};
}

std::string refused(std::string_view list) {
  const auto hosts = expand_hosts(list, "--hosts");
  if (hosts) return "(accepted)";
  CHECK(hosts.error().code == ErrorCode::usage);
  return hosts.error().where + ": " + hosts.error().what;
}

}  // namespace

TEST_CASE("plain hosts stay as they are, in order, twice when named twice") {
  CHECK(expanded("a") == Strings{"a"});
  CHECK(expanded("joe@b,10.0.0.1,a,a,fe80::1%en0") == Strings{"joe@b", "10.0.0.1", "a", "a", "fe80::1%en0"});
}

TEST_CASE("ranges count, padded when their numbers are") {
  CHECK(expanded("mac[1-4]") == Strings{"mac1", "mac2", "mac3", "mac4"});
  CHECK(expanded("mac[08-10,20]") == Strings{"mac08", "mac09", "mac10", "mac20"});
  CHECK(expanded("m[9-11].lan") == Strings{"m9.lan", "m10.lan", "m11.lan"});
  CHECK(expanded("m[0-1],x") == Strings{"m0", "m1", "x"});
  CHECK(expanded("m[007]") == Strings{"m007"});
  CHECK(expanded("joe@m[3-3]") == Strings{"joe@m3"});
  CHECK(expanded("m[2,1,2]") == Strings{"m2", "m1", "m2"});
}

TEST_CASE("several brackets count like digits, the last fastest") {
  CHECK(expanded("r[1-2]n[1-3]") == Strings{"r1n1", "r1n2", "r1n3", "r2n1", "r2n2", "r2n3"});
}

TEST_CASE("an IPv6 address may stand in brackets") {
  CHECK(expanded("[::1]") == Strings{"::1"});
  CHECK(expanded("joe@[fe80::1%en0],b") == Strings{"joe@fe80::1%en0", "b"});
  CHECK(refused("[::1]:22") == "--hosts: \"[::1]:22\": expected an IPv6 address alone in the brackets");
  CHECK(refused("[::1%en0,n1]") ==
        "--hosts: \"[::1%en0,n1]\": expected an IPv6 address alone in the brackets");
  CHECK(refused("m[::1]") == "--hosts: \"m[::1]\": expected an IPv6 address alone in the brackets");
  CHECK(refused("[1-2][::1]") == "--hosts: \"[1-2][::1]\": expected an IPv6 address alone in the brackets");
  CHECK(refused("[:]") == "--hosts: \"[:]\": expected an IPv6 address alone in the brackets");
}

TEST_CASE("a range that is none says what was found and expected") {
  CHECK(refused("m[4-1]") == "--hosts: in \"m[4-1]\": found \"4-1\", expected the lower number first");
  CHECK(refused("m[01-100]") ==
        "--hosts: in \"m[01-100]\": found \"01-100\", expected both ends with the same number of digits");
  CHECK(refused("m[1-010]") ==
        "--hosts: in \"m[1-010]\": found \"1-010\", expected both ends with the same number of digits");
  for (const char* bad :
       {"", "x", "1-", "-1", "1-2-3", "1,", "+1", " 1", "1 ", "0x1", "9999999999999999999"}) {
    CHECK(refused("m[" + std::string(bad) + "]") != "(accepted)");
  }
  CHECK(refused("m[]") ==
        "--hosts: in \"m[]\": found \"\", expected a number or a range such as 1-4 or 01-16");
}

TEST_CASE("brackets must match") {
  CHECK(refused("m[1-4") == "--hosts: \"m[1-4\": expected ']'");
  CHECK(refused("m1]") == "--hosts: \"m1]\": found a ']' too many");
  CHECK(refused("m[[1]]") == "--hosts: \"m[[1]]\": found a '[' too many");
}

TEST_CASE("empty names, spaces and options are refused") {
  CHECK(refused("") == "--hosts: found an empty host name, expected hosts separated by single commas");
  CHECK(refused("a,,b") == "--hosts: found an empty host name, expected hosts separated by single commas");
  CHECK(refused("a,") == "--hosts: found an empty host name, expected hosts separated by single commas");
  CHECK(refused("a, b") ==
        "--hosts: \" b\": found a space or control character, expected hosts separated by single commas");
  CHECK(refused("-oProxyCommand=x") == "--hosts: \"-oProxyCommand=x\": a host name cannot begin with '-'");
  CHECK(refused("joe@") == "--hosts: \"joe@\": expected user@host");
  CHECK(refused("@m") == "--hosts: \"@m\": expected user@host");
  CHECK(refused(std::string(513, 'a')).ends_with("is longer than 512 bytes"));
}

TEST_CASE("no list makes more than 100,000 hosts") {
  CHECK(expand_hosts("m[1-100000]", "--hosts")->size() == 100'000);
  CHECK(refused("m[1-100001]") == "--hosts: \"m[1-100001]\" makes more than 100000 hosts");
  CHECK(refused("m[1-999999999999999999]") ==
        "--hosts: \"m[1-999999999999999999]\" makes more than 100000 hosts");
  CHECK(refused("[1-9999][1-9999][1-9999]") ==
        "--hosts: \"[1-9999][1-9999][1-9999]\" makes more than 100000 hosts");
  CHECK(refused("m[1-60000],n[1-60000]") == "--hosts: \"n[1-60000]\" makes more than 100000 hosts");
  CHECK(refused("m[1-100000],n") == "--hosts: makes more than 100000 hosts");
}

TEST_CASE("excluded hosts go, the others keep their order") {
  CHECK(exclude_hosts(expanded("mac[1-4],mac1"), expanded("mac[1,3]")).value() == Strings{"mac2", "mac4"});
  CHECK(exclude_hosts({"a"}, {}).value() == Strings{"a"});
  CHECK(exclude_hosts({"a", "b"}, {"c"}).error().text() == "--exclude: \"c\" is not among the hosts");
  CHECK(exclude_hosts({"a", "a"}, {"a"}).error().text() == "--exclude: leaves no host");
}
