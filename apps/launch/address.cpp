#include "launch/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>

namespace jackal::launch {
namespace {

bool parse_ipv6(std::string_view text, in6_addr& address) {
  const std::string numeric(text.substr(0, text.find('%')));
  return ::inet_pton(AF_INET6, numeric.c_str(), &address) == 1;
}

}  // namespace

AddressFamily address_family(std::string_view text) {
  in_addr ipv4{};
  in6_addr ipv6{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), &ipv4) == 1) return AddressFamily::ipv4;
  return parse_ipv6(text, ipv6) ? AddressFamily::ipv6 : AddressFamily::none;
}

bool is_loopback(std::string_view address) {
  in_addr ipv4{};
  if (::inet_pton(AF_INET, std::string(address).c_str(), &ipv4) == 1) {
    return (ntohl(ipv4.s_addr) >> 24) == 127;
  }
  in6_addr ipv6{};
  return parse_ipv6(address, ipv6) && std::memcmp(&ipv6, &in6addr_loopback, sizeof ipv6) == 0;
}

bool is_ipv6_link_local(std::string_view address) {
  in6_addr ipv6{};
  return parse_ipv6(address, ipv6) && ipv6.s6_addr[0] == 0xfe && (ipv6.s6_addr[1] & 0xc0) == 0x80;
}

std::string without_brackets(std::string_view host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return std::string(bracketed ? host.substr(1, host.size() - 2) : host);
}

std::string with_port(std::string_view address, std::string_view port) {
  const bool ipv6 = address_family(address) == AddressFamily::ipv6;
  std::string text = ipv6 ? "[" : "";
  text += address;
  if (ipv6) text += ']';
  return text + ":" + std::string(port);
}

}  // namespace jackal::launch
