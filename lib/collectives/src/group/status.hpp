// What a rank says about itself when it has waited for long, and what follows from two such statements: calls
// that differ but never meet on a link are found this way.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "group/call.hpp"
#include "group/messages.hpp"

namespace jackal::collectives {

struct Status {
  enum class Waits : std::uint8_t { collective = 1, message };
  Waits waits{};
  std::uint64_t calls = 0;   // collectives begun; of a collective: it included
  std::uint32_t others = 0;  // operations under way besides the one that is waited for
  // The collective.
  Signature signature{};
  Operation operation{};
  int root = -1;
  // The message: that it needs `peer`, and has not met its counterpart.
  int peer = -1;
  bool unmatched = false;
  std::uint64_t send = 0;                // of a send, the number that its sender has given it
  std::string text;                      // of either, for people
  std::vector<Messages::Tally> tallies;  // by rank

  std::string encode() const;
  static std::optional<Status> decode(std::string_view body, int size);
};

/// Whether the calls of ranks `me` and `peer`, as they stand, can never come together; then both calls in
/// words. `earlier`: this rank's signature of an earlier call, if it still knows it.
struct Conflict {
  std::string mine;
  std::string theirs;
};
using Earlier = std::function<std::optional<Signature>(std::uint64_t number)>;
std::optional<Conflict> conflict_of(const Status& mine, int me, const Status& theirs, int peer,
                                    const Earlier& earlier);

}  // namespace jackal::collectives
