// Finding what identifies a machine in any command's text.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace jackal::tbdiscovery {

enum class Identifier {
  uuid,      // 8-4-4-4-12 hexadecimal digits
  mac,       // six groups, leading zeros or not
  guid,      // of an RDMA device: 16 digits, with or without colons
  uid,       // of a Thunderbolt switch: 0x and 12 digits or more
  ipv6,      // any notation
  ipv4,      // four octets
  network4,  // as netstat cuts it: "10.0.0", "172.16/12"
};

/// `text` with every identifier replaced by what `stand_in` gives for it. `cut_networks`: "10.0.0" at the
/// start of a line is a network.
using StandIn = std::function<std::string(Identifier kind, std::string_view original)>;
std::string replace_identifiers(std::string_view text, bool cut_networks, const StandIn& stand_in);

/// A longer word comes before its own beginnings.
using Words = std::map<std::string, std::string, std::greater<>>;

/// `text` with every one of `words` replaced wherever it stands by itself.
std::string replace_words(std::string_view text, const Words& words);

/// The values of all keys that say "serial", in JSON and in lines of "key: value".
std::vector<std::string> serial_numbers(std::string_view text);

}  // namespace jackal::tbdiscovery
