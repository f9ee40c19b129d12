#include "jackal/hostfile/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

namespace jackal::hostfile {
namespace {

/// An interface's name or number. Others would be torn apart where a list of hosts is read again.
bool is_zone(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

}  // namespace

bool is_ip_address(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return false;  // inet_pton would stop there
  const std::size_t percent = text.find('%');
  const std::string address(text.substr(0, percent));
  std::array<unsigned char, 16> bytes{};  // an in6_addr
  const bool has_zone = percent != std::string_view::npos;
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) {
    return !has_zone || is_zone(text.substr(percent + 1));
  }
  return !has_zone && inet_pton(AF_INET, address.c_str(), bytes.data()) == 1;
}

}  // namespace jackal::hostfile
