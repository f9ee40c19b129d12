// Over which addresses two ranks connect: pure, and the same on both sides.
#pragma once

#include <string>
#include <vector>

#include "env/environment.hpp"

namespace jackal::collectives {

/// One cable, or path, as rank `mine` sees it. Addresses as the host file spells them; both "" where the
/// control connection's are to be used.
struct Cable {
  std::string ip;
  std::string peer_ip;
  std::string interface;  // of this side; "" when unknown
  bool operator==(const Cable&) const = default;
};

/// With `links` in the host file: its cables of which both ends' addresses are known. Else the k-th address
/// of one with the k-th of the other. Ranks of one host, and those without addresses, use the control
/// connection's.
std::vector<Cable> cables_between(const Job& job, int mine, int other);

/// "10.0.0.1 (en3)", for messages.
std::string cable_name(const std::string& address, const std::string& interface);

}  // namespace jackal::collectives
