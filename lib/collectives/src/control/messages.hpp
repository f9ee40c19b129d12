// What the frames carry. Every decoder refuses (nullopt) whatever is short, long or out of range.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.hpp"

namespace jackal::collectives {

/// A numeric address as it travels. A link-local IPv6 address means something only together with an
/// interface of the receiver, so no scope is sent.
struct Endpoint {
  std::string address;  // 4 or 16 bytes, network order
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

enum class Purpose : std::uint8_t { control = 1, data };

struct Hello {
  Purpose purpose = Purpose::control;
  std::uint16_t lane = 0;  // which of the pair's data connections this is; 0 for control
  std::string job;
  int rank = 0;
  int size = 1;
  std::string nonce;  // 16 random bytes, returned in Welcome
  std::string host;   // this machine's name for itself
  Endpoint listens;   // where this rank takes connections; port 0 when nowhere

  std::string encode() const;
  static std::optional<Hello> decode(std::string_view body);
};

struct Welcome {
  std::string nonce;  // of the Hello that it answers
  int rank = 0;       // who answers

  std::string encode() const;
  static std::optional<Welcome> decode(std::string_view body);
};

struct Member {
  std::string host;
  Endpoint listens;
  bool operator==(const Member&) const = default;
};

std::string encode_table(const std::vector<Member>& members);
std::optional<std::vector<Member>> decode_table(std::string_view body);

std::string encode_error(const Error& error);
std::optional<Error> decode_error(std::string_view body);

/// More ranks than this are refused: every rank keeps several connections to each other one.
inline constexpr int kMaxSize = 4096;

/// For Hello: 16 bytes that nobody can guess. Throws Error (io).
std::string random_nonce();

/// The longest bodies that are accepted from somebody who has not yet proved who it is, and from a rank.
inline constexpr std::size_t kStrangerLimit = 2048;
inline constexpr std::size_t kRankLimit = 4 << 20;

}  // namespace jackal::collectives
