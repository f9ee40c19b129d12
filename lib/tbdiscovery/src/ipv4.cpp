#include "jackal/tbdiscovery/ipv4.hpp"

#include <fmt/format.h>

#include "jackal/base/text.hpp"

namespace jackal::tbdiscovery {
namespace {

std::uint32_t mask_of(int prefix) { return prefix <= 0 ? 0U : ~std::uint32_t{0} << (32 - prefix); }

}  // namespace

std::optional<Ipv4> parse_ipv4(std::string_view text) {
  std::uint32_t value = 0;
  for (int octet = 0; octet < 4; ++octet) {
    const auto dot = octet < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos || dot > 3) return std::nullopt;
    const auto part = parse_integer<std::uint8_t>(text.substr(0, dot));
    if (!part) return std::nullopt;
    value = value << 8 | *part;
    text.remove_prefix(octet < 3 ? dot + 1 : dot);
  }
  return Ipv4{value};
}

std::string to_string(Ipv4 address) {
  const auto v = address.value;
  return fmt::format("{}.{}.{}.{}", v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255);
}

Network network_of(Ipv4 address, int prefix) { return {Ipv4{address.value & mask_of(prefix)}, prefix}; }

bool contains(const Network& network, Ipv4 address) {
  return network_of(address, network.prefix).address == network.address;
}

bool overlap(const Network& a, const Network& b) {
  return a.prefix <= b.prefix ? contains(a, b.address) : contains(b, a.address);
}

std::string netmask_text(int prefix) { return to_string(Ipv4{mask_of(prefix)}); }

std::optional<int> prefix_of_mask(std::uint32_t mask) {
  for (int prefix = 0; prefix <= 32; ++prefix) {
    if (mask_of(prefix) == mask) return prefix;
  }
  return std::nullopt;
}

std::string to_string(const Network& network) {
  return fmt::format("{}/{}", to_string(network.address), network.prefix);
}

bool is_link_local(Ipv4 address) { return address.value >> 16 == 0xA9FE; }

}  // namespace jackal::tbdiscovery
