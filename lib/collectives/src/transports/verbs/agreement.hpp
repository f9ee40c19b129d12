// What ranks tell each other while they make RDMA connections, as bytes. Every decoder refuses what is short,
// long or out of range.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "transports/verbs/connection.hpp"

namespace jackal::collectives {

/// One rank's word on one cable of its own.
struct CableOffer {
  int peer = 0;
  int cable = 0;        // of those to that peer
  int queue_pairs = 0;  // 0: it makes no connection over it
  ConnectionEnd end;    // once its queue pairs exist
};

struct Offer {
  std::string problem;  // why this rank cannot go on; "" when it can
  Code code = Code::unavailable;
  std::vector<CableOffer> cables;

  std::string encode() const;
  static std::optional<Offer> decode(std::string_view bytes);
  /// The offer for a cable to `peer`; null when there is none.
  const CableOffer* find(int peer, int cable) const;
  /// The same, made where there is none.
  CableOffer& of(int peer, int cable);
};

}  // namespace jackal::collectives
