#include "transports/tcp/address.hpp"

#include <future>

#include "support/catch.hpp"

using namespace jackal::collectives;

TEST_CASE("an address and port are told apart, IPv6 in brackets") {
  const auto check = [](const char* text, const char* host, int port) {
    const auto parsed = parse_host_port(text);
    REQUIRE(parsed);
    CHECK(parsed->host == host);
    CHECK(parsed->port == port);
  };
  check("10.0.0.1:5000", "10.0.0.1", 5000);
  check("node-7.local:1", "node-7.local", 1);
  check("[::1]:65535", "::1", 65535);
  check("[fe80::1%en0]:32323", "fe80::1%en0", 32323);
}

TEST_CASE("anything else is no address and port") {
  for (const char* text :
       {"", ":", "10.0.0.1", "10.0.0.1:", ":5000", "10.0.0.1:0", "10.0.0.1:65536", "a:-1", "a:1x", "::1:5000",
        "[::1]", "[]:5000", "[::1:5000", "a b:5", " a:5", "a: 5", "[[::1]]:5"})
    CHECK_FALSE(parse_host_port(text));
}

TEST_CASE("an address travels as an endpoint, and a link-local one takes the receiver's interface") {
  const Resolved there = resolve({"127.0.0.1", 5000}, Clock::now() + std::chrono::seconds(10));
  REQUIRE(there.addresses.size() == 1);
  CHECK(there.addresses[0].text() == "127.0.0.1:5000");
  CHECK(SocketAddress::of(there.addresses[0].endpoint(), {}).text() == "127.0.0.1:5000");

  sockaddr_in6 near{};
  near.sin6_family = AF_INET6;
  near.sin6_scope_id = 7;
  const Endpoint link_local = {std::string("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16), 5000};
  const SocketAddress made =
      SocketAddress::of(link_local, SocketAddress(reinterpret_cast<const sockaddr*>(&near), sizeof near));
  CHECK(reinterpret_cast<const sockaddr_in6*>(made.get())->sin6_scope_id == 7);
  CHECK(made.endpoint() == link_local);
}

TEST_CASE("a name service that does not answer is given up at the deadline") {
  std::promise<void> answer;
  const auto begun = Clock::now();
  const Resolved nothing =
      look_up_within(begun + std::chrono::milliseconds(50), [waits = answer.get_future().share()] {
        waits.wait();
        return Resolved{};
      });
  CHECK(nothing.addresses.empty());
  CHECK(nothing.problem == "the name service did not answer in time; give a numeric address");
  CHECK(Clock::now() - begun < std::chrono::seconds(10));
  answer.set_value();
}

TEST_CASE("a name is looked up") {
  CHECK(!resolve({"localhost", 5000}, Clock::now() + std::chrono::seconds(30)).addresses.empty());
}
