#include "jackal/tbdiscovery/redact.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>

#include "identifiers.hpp"
#include "jackal/base/text.hpp"
#include "jackal/tbdiscovery/ipv4.hpp"
#include "lines.hpp"

namespace jackal::tbdiscovery {
namespace {

/// Where stand-ins for numbers begin: those that other people's redaction leaves are counted from 0.
constexpr std::uint64_t kStandIn = 0x5ED00000;

using Bytes6 = std::array<unsigned char, 16>;

Bytes6 bytes_of(std::string_view ipv6) {
  Bytes6 bytes{};
  ::inet_pton(AF_INET6, std::string(ipv6).c_str(), bytes.data());
  return bytes;
}

bool is_mapped(const Bytes6& bytes) {
  return std::all_of(bytes.begin(), bytes.begin() + 10, [](auto byte) { return byte == 0; }) &&
         bytes[10] == 0xFF && bytes[11] == 0xFF;
}

Ipv4 mapped_in(const Bytes6& bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 12; i < 16; ++i) value = value << 8 | bytes[i];
  return {value};
}

/// Unspecified, loopback and multicast addresses are the same everywhere.
bool is_common(const Bytes6& bytes) {
  const bool zeros = std::all_of(bytes.begin(), bytes.end() - 1, [](auto byte) { return byte == 0; });
  return bytes[0] == 0xFF || (zeros && bytes[15] <= 1);
}

bool is_common(Ipv4 address) {
  const auto first = address.value >> 24;
  return first == 0 || first == 127 || first >= 224 || is_link_local(address);
}

/// How many leading bits say that an address is private, which stays; 0 for public ones.
int private_bits(Ipv4 address) {
  if (address.value >> 24 == 10) return 8;
  if (address.value >> 20 == 0xAC1) return 12;
  if (address.value >> 16 == 0xC0A8) return 16;
  if (address.value >> 22 == (100U << 2 | 1)) return 10;
  return 0;
}

std::string without_colons(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return c != ':'; });
  return lower(out);
}

/// "36:0:0:1:2:3" and "36:00:00:01:02:03" are one address.
std::string mac_key(std::string_view text) {
  std::string key;
  std::string group;
  for (const char c : std::string(text) + ":") {
    if (c != ':') {
      group += c;
      continue;
    }
    key += (group.size() == 1 ? "0" : "") + group;
    group.clear();
  }
  return lower(key);
}

std::uint64_t mixed(std::uint64_t value) {  // the finaliser of splitmix64
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9U;
  value = (value ^ value >> 27) * 0x94D049BB133111EBU;
  return value ^ value >> 31;
}

/// Addresses that share their first n bits share as many afterwards, so networks, cables and routes stay what
/// they were; the last eight bits stay. Which bits turn depends on everything that is redacted, which a
/// reader of the result does not know.
class Addresses {
public:
  void see(Ipv4 address) {
    if (is_common(address)) return;
    seen_.insert(address.value);
    if (private_bits(address) == 0) public_.try_emplace(address.value >> 8, 0);
  }

  /// REQUIRES: all were seen.
  void settle(std::uint64_t seed) {
    std::uint32_t number = 0;
    for (auto& [network, stand_in] : public_) stand_in = kTestRange + number++;
    const auto clashes = [&](std::uint32_t address) { return seen_.count(stand_in({address}).value) != 0; };
    constexpr int kMostTries = 1000;
    seed_ = seed;
    for (int i = 0; i < kMostTries && std::any_of(seen_.begin(), seen_.end(), clashes); ++i) ++seed_;
  }

  Ipv4 stand_in(Ipv4 address) const {
    if (is_common(address)) return address;
    const int kept = private_bits(address);
    const auto last = address.value & 0xFFU;
    if (kept == 0) {
      const auto known = public_.find(address.value >> 8);
      return {(known == public_.end() ? kTestRange : known->second) << 8 | last};
    }
    std::uint32_t out = address.value;
    for (int bit = 31 - kept; bit >= 8; --bit) {
      const std::uint64_t above = std::uint64_t{address.value} >> (bit + 1);
      // The first bit always turns: no address stays what it was.
      const bool turns =
          bit == 31 - kept || (mixed(seed_ ^ mixed(above << 6 | static_cast<unsigned>(bit))) & 1) != 0;
      if (turns) out ^= 1U << bit;
    }
    return {out};
  }

private:
  static constexpr std::uint32_t kTestRange = 0xC61200;  // 198.18.0.0/15, by the /24

  std::set<std::uint32_t> seen_;
  std::map<std::uint32_t, std::uint32_t> public_;
  std::uint64_t seed_ = 0;
};

/// Numbers from 1 in the order of the originals, so that what was sorted by them stays sorted.
class Numbers {
public:
  void see(const std::string& key) { numbers_.try_emplace(key, 0); }
  void settle() {
    std::size_t next = 0;
    for (auto& entry : numbers_) entry.second = ++next;
  }
  std::size_t of(const std::string& key) const {
    const auto known = numbers_.find(key);
    return known == numbers_.end() ? 0 : known->second;
  }

private:
  std::map<std::string, std::size_t> numbers_;
};

class Redactor {
public:
  explicit Redactor(const RawProbes& probes) {
    const auto note = [&](Identifier kind, std::string_view original) {
      see(kind, original);
      return std::string(original);
    };
    for (std::size_t i = 0; i < probes.size(); ++i) {
      see_name(probes[i].node, i, probes.size());
      replace_identifiers(probes[i].node, false, note);
      for (const auto& [file, output] : probes[i].files) {
        for (const auto& serial : serial_numbers(output.bytes)) words_.try_emplace(serial, "");
        replace_identifiers(output.bytes, cuts_networks(file), note);
        replace_identifiers(output.standard_error, false, note);
      }
    }
    for (Numbers* numbers : {&uuids_, &macs_, &guids_, &uids_, &ipv6_}) numbers->settle();
    addresses_.settle(seed_);
    std::size_t serials = 0;
    for (auto& [word, stand_in] : words_) {
      if (stand_in.empty()) stand_in = fmt::format("SERIAL{:04}", ++serials);
    }
  }

  NodeProbes redacted(const NodeProbes& node, std::size_t index) const {
    NodeProbes out;
    out.node = names_[index];
    out.failure = node.failure;
    for (const auto& [file, output] : node.files) {
      ProbeOutput& clean = out.files[file];
      clean = output;
      clean.bytes = text(output.bytes, cuts_networks(file));
      clean.standard_error = text(output.standard_error, false);
      for (auto& word : clean.argv) word = text(word, false);
    }
    return out;
  }

private:
  static bool cuts_networks(const std::string& file) { return file == "routes.txt"; }

  void see(Identifier kind, std::string_view original) {
    for (const char c : original) seed_ = mixed(seed_ ^ static_cast<unsigned char>(c));
    switch (kind) {
      case Identifier::uuid:
        return uuids_.see(upper(original));
      case Identifier::mac:
        return macs_.see(mac_key(original));
      case Identifier::guid:
        return guids_.see(without_colons(original));
      case Identifier::uid:
        return uids_.see(lower(original));
      case Identifier::ipv6:
        return see_ipv6(bytes_of(original));
      case Identifier::ipv4:
        return addresses_.see(parse_ipv4(original).value_or(Ipv4{}));
      case Identifier::network4:
        return addresses_.see(padded(original));
    }
  }

  void see_ipv6(const Bytes6& bytes) {
    if (is_mapped(bytes)) return addresses_.see(mapped_in(bytes));
    if (!is_common(bytes)) ipv6_.see(std::string(bytes.begin(), bytes.end()));
  }

  /// node1 … in the order of the names given; a user and a domain of the name go too.
  void see_name(const std::string& name, std::size_t index, std::size_t count) {
    const auto at = name.find('@');
    const auto host = at == std::string::npos ? name : name.substr(at + 1);
    const auto user = at == std::string::npos ? std::string() : name.substr(0, at);
    const auto width = std::to_string(count).size();
    const auto stand_in = fmt::format("node{:0{}}", index + 1, width);
    const bool address = parse_ipv4(host).has_value() || host.find(':') != std::string::npos;
    if (!address && host != "localhost") {
      words_.try_emplace(host, stand_in);
      const auto dot = host.find('.');
      if (dot != std::string::npos && dot > 0) {
        words_.try_emplace(host.substr(0, dot), stand_in);
        if (host.find('.', dot + 1) != std::string::npos)
          words_.try_emplace(host.substr(dot + 1), "example.org");
      }
    }
    if (user.empty()) {
      names_.push_back(stand_in);
      return;
    }
    const auto [known, added] = users_.try_emplace(user, fmt::format("user{}", users_.size() + 1));
    if (user != "root") words_.try_emplace(user, known->second);
    names_.push_back((user == "root" ? user : known->second) + "@" + stand_in);
  }

  /// "10.0.0" → 10.0.0.0.
  static Ipv4 padded(std::string_view network) {
    std::string text(network.substr(0, network.find('/')));
    for (auto dots = std::count(text.begin(), text.end(), '.'); dots < 3; ++dots) text += ".0";
    return parse_ipv4(text).value_or(Ipv4{});
  }

  std::string text(const std::string& original, bool cut_networks) const {
    const auto out = replace_identifiers(
        original, cut_networks,
        [this](Identifier kind, std::string_view found) { return stand_in(kind, found); });
    return replace_words(out, words_);
  }

  std::string stand_in(Identifier kind, std::string_view original) const {
    switch (kind) {
      case Identifier::uuid: {
        // Version 8 is free for everybody's own use, so no machine has these.
        const auto made = fmt::format("00000000-0000-8000-8000-{:012X}", uuids_.of(upper(original)));
        return upper(original) == original ? made : lower(made);
      }
      case Identifier::mac: {
        const auto number = macs_.of(mac_key(original));
        return fmt::format("02:00:5e:00:{:02x}:{:02x}", number >> 8 & 0xFFU, number & 0xFFU);
      }
      case Identifier::guid:
        return guid(original);
      case Identifier::uid:
        return fmt::format("0x{:0{}X}", kStandIn + uids_.of(lower(original)), original.size() - 2);
      case Identifier::ipv6:
        return ipv6(original);
      case Identifier::ipv4:
        return to_string(addresses_.stand_in(parse_ipv4(original).value_or(Ipv4{})));
      case Identifier::network4:
        return network(original);
    }
    return {};
  }

  std::string guid(std::string_view original) const {
    const auto digits = fmt::format("{:016x}", kStandIn + guids_.of(without_colons(original)));
    if (original.find(':') == std::string_view::npos) return digits;
    return fmt::format("{}:{}:{}:{}", digits.substr(0, 4), digits.substr(4, 4), digits.substr(8, 4),
                       digits.substr(12));
  }

  std::string ipv6(std::string_view original) const {
    Bytes6 bytes = bytes_of(original);
    if (is_mapped(bytes)) {
      const auto mapped = addresses_.stand_in(mapped_in(bytes));
      if (original.find('.') != std::string_view::npos) return "::ffff:" + to_string(mapped);
      for (std::size_t i = 0; i < 4; ++i)
        bytes[12 + i] = static_cast<unsigned char>(mapped.value >> (24 - 8 * i));
    } else if (!is_common(bytes)) {
      const auto number = ipv6_.of(std::string(bytes.begin(), bytes.end()));
      const bool link_local = bytes[0] == 0xFE && (bytes[1] & 0xC0U) == 0x80;
      bytes = bytes_of(fmt::format("{}::5e:{:x}", link_local ? "fe80" : "2001:db8", number));
    }
    constexpr std::size_t kLongForm = 39;
    if (original.size() == kLongForm) {
      std::string out;
      for (std::size_t i = 0; i < 16; i += 2)
        out += fmt::format("{}{:02x}{:02x}", i == 0 ? "" : ":", bytes[i], bytes[i + 1]);
      return out;
    }
    std::array<char, INET6_ADDRSTRLEN> out{};
    ::inet_ntop(AF_INET6, bytes.data(), out.data(), out.size());
    return out.data();
  }

  std::string network(std::string_view original) const {
    const auto slash = std::min(original.find('/'), original.size());
    const auto octets =
        std::count(original.begin(), original.begin() + static_cast<std::ptrdiff_t>(slash), '.') + 1;
    const auto prefix = parse_integer<int>(original.substr(std::min(slash + 1, original.size())));
    auto address = addresses_.stand_in(padded(original));
    if (prefix && *prefix >= 0 && *prefix <= 32) address = network_of(address, *prefix).address;
    auto made = to_string(address);
    for (auto cut = 4 - octets; cut > 0; --cut) made.resize(made.rfind('.'));
    return made + std::string(original.substr(slash));
  }

  Numbers uuids_;
  Numbers macs_;
  Numbers guids_;
  Numbers uids_;
  Numbers ipv6_;
  Addresses addresses_;
  std::uint64_t seed_ = 0;
  std::vector<std::string> names_;  // of the nodes
  std::map<std::string, std::string> users_;
  Words words_;
};

}  // namespace

RawProbes redact(const RawProbes& probes) {
  const Redactor redactor(probes);
  RawProbes out;
  for (std::size_t i = 0; i < probes.size(); ++i) out.push_back(redactor.redacted(probes[i], i));
  return out;
}

}  // namespace jackal::tbdiscovery
