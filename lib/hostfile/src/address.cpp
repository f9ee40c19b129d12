#include "jackal/hostfile/address.hpp"

#include <arpa/inet.h>

#include <array>
#include <string>

namespace jackal::hostfile {

bool is_ip_address(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return false;  // inet_pton would stop there
  const std::size_t percent = text.find('%');
  const std::string address(text.substr(0, percent));
  std::array<unsigned char, 16> bytes{};  // an in6_addr
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return percent + 1 != text.size();
  return percent == std::string_view::npos && inet_pton(AF_INET, address.c_str(), bytes.data()) == 1;
}

}  // namespace jackal::hostfile
