#include "jackal/tbdiscovery/ipv4.hpp"

#include "support/catch.hpp"

using namespace jackal::tbdiscovery;

TEST_CASE("an IPv4 address is four decimal octets and nothing else") {
  CHECK(parse_ipv4("10.0.255.1")->value == 0x0A00FF01);
  CHECK(to_string(*parse_ipv4("10.0.255.1")) == "10.0.255.1");
  for (const auto* wrong : {"", "10.0.0", "10.0.0.1.2", "10.0.0.256", "10.0.0.-1", " 10.0.0.1", "10.0.0.1 ",
                            "a.b.c.d", "10..0.1", "10.0.0.", "link#22", "0010.0.0.1"}) {
    CHECK(!parse_ipv4(wrong));
  }
}

TEST_CASE("networks overlap when one holds the other") {
  const auto network = [](const char* address, int prefix) {
    return network_of(*parse_ipv4(address), prefix);
  };
  CHECK(to_string(network("10.1.2.7", 30)) == "10.1.2.4/30");
  CHECK(overlap(network("10.1.2.4", 30), network("10.0.0.0", 8)));
  CHECK(overlap(network("10.0.0.0", 8), network("10.1.2.4", 30)));
  CHECK(!overlap(network("10.1.2.4", 30), network("10.1.2.8", 30)));
  CHECK(overlap(network("0.0.0.0", 0), network("255.255.255.255", 32)));
}

TEST_CASE("masks and prefixes turn into each other") {
  CHECK(netmask_text(30) == "255.255.255.252");
  CHECK(netmask_text(0) == "0.0.0.0");
  CHECK(prefix_of_mask(0xfffffffc) == 30);
  CHECK(prefix_of_mask(0) == 0);
  CHECK(!prefix_of_mask(0xff00ff00));
}
