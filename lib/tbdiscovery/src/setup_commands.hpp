// What a set-up has to do on one node, and the commands of its system that do it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jackal/tbdiscovery/setup.hpp"

namespace jackal::tbdiscovery {

/// A member to take out of its bridge.
struct BridgeMember {
  std::string bridge;
  std::string interface;
};

/// One end of a planned cable.
struct LinkEnd {
  std::string interface;
  Ipv4 address;
  Ipv4 peer;
  bool has_address = false;             // already so
  bool raise = false;                   // the interface is down
  std::vector<InterfaceAddress> stale;  // left from other cablings, to be removed
  std::optional<InterfaceAddress> self_assigned;
  bool needs_route = false;          // nothing leads to the peer over this interface
  std::optional<Route> wrong_route;  // leads there over another one
};

struct Work {
  std::vector<BridgeMember> members;
  std::vector<LinkEnd> ends;
};

inline constexpr const char* kMacLastingFile = "/Library/LaunchDaemons/org.jackal.links.plist";
inline constexpr const char* kLinuxLastingFile = "/etc/systemd/system/jackal-links.service";

/// The command that takes a change back.
Argv mac_undo(const Change& change);
Argv linux_undo(const Change& change);

std::vector<Step> mac_steps(const Work& work);
std::vector<Step> mac_lasting_steps(const Work& work);
std::vector<Check> mac_checks(const Work& work);

std::vector<Step> linux_steps(const Work& work);
std::vector<Step> linux_lasting_steps(const Work& work);
std::vector<Check> linux_checks(const Work& work);

}  // namespace jackal::tbdiscovery
