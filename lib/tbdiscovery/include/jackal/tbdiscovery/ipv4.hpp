// IPv4 addresses and networks as values: what routes, cables and host files are compared by.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jackal::tbdiscovery {

struct Ipv4 {
  std::uint32_t value = 0;  // host byte order

  auto operator<=>(const Ipv4&) const = default;
};

/// Four decimal octets and nothing else; nullopt otherwise.
std::optional<Ipv4> parse_ipv4(std::string_view text);
std::string to_string(Ipv4 address);

struct Network {
  Ipv4 address;     // host bits are zero
  int prefix = 32;  // 0 … 32

  auto operator<=>(const Network&) const = default;
};

/// The network of `prefix` bits that holds `address`.
Network network_of(Ipv4 address, int prefix);
bool contains(const Network& network, Ipv4 address);
bool overlap(const Network& a, const Network& b);
/// "255.255.255.252" for 30.
std::string netmask_text(int prefix);
/// 30 for 0xfffffffc; nullopt when the ones are not all in front.
std::optional<int> prefix_of_mask(std::uint32_t mask);
std::string to_string(const Network& network);

/// 169.254/16, which a machine gives itself when nobody else does.
bool is_link_local(Ipv4 address);

}  // namespace jackal::tbdiscovery
