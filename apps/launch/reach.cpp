#include "launch/reach.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "launch/address.hpp"

namespace jackal::launch {
namespace {

constexpr const char* kLoopback = "127.0.0.1";

/// True when the ranks are on several machines. Hosts that are all reached at 127.0.0.1 are one machine under
/// several names (aliases with their own ports).
bool spans_machines(const Layout& layout, const std::vector<NodeFacts>& facts) {
  if (layout.hosts.size() < 2) return false;
  for (std::size_t index = 0; index < layout.ranks.size(); ++index) {
    const hostfile::Host& entry = layout.hostfile.hosts[index];
    const std::string& address = facts[layout.ranks[index].host].address;
    if (!is_loopback(entry.ips.empty() ? address : entry.ips.front())) return true;
  }
  return false;
}

struct Learnt {
  std::string address;  // as the contract has it: our connection's, else the default route's
  std::string for_mlx;  // the same, but IPv4 when one of the two is: MLX's sockets are
};

/// What the host's facts offer; empty when nothing is of use to its peers.
Learnt learn(const NodeFacts& facts, bool shared) {
  Learnt learnt;
  for (const std::string& address : {facts.address, facts.route_source}) {
    // A link-local address carries the name of *our* interface: of no use to anybody else.
    const bool useless = address.empty() || is_ipv6_link_local(address) || (shared && is_loopback(address));
    if (useless) continue;
    if (learnt.address.empty()) learnt.address = address;
    const bool better = address_family(learnt.for_mlx) == AddressFamily::ipv6 &&
                        address_family(address) != AddressFamily::ipv6;
    if (learnt.for_mlx.empty() || better) learnt.for_mlx = address;
  }
  if (!shared && learnt.address.empty()) learnt = {kLoopback, kLoopback};
  return learnt;
}

tl::unexpected<Error> unreachable_by_peers(const std::string& host, const std::string& address,
                                           bool from_file) {
  if (from_file) {
    return fail({ErrorCode::bad_input, host,
                 fmt::format("its address {} in the host file is one that other hosts cannot reach", address),
                 "put an address into its \"ips\" that every other host reaches"});
  }
  const std::string what =
      address.empty() ? "its address is not known (it is behind a jump host and has no default route)"
                      : fmt::format("its address {} is one that other hosts cannot reach", address);
  return fail({ErrorCode::bad_input, host, what,
               "name it by an address that the others reach, or put that into its \"ips\" in a host file"});
}

}  // namespace

Result<Reach> find_addresses(const Layout& layout, const std::vector<NodeFacts>& facts) {
  const bool shared = spans_machines(layout, facts);
  Reach reach;
  for (std::size_t index = 0; index < layout.ranks.size(); ++index) {
    const std::size_t host = layout.ranks[index].host;
    const std::string& name = layout.hosts[host].ssh;
    const std::vector<std::string>& given = layout.hostfile.hosts[index].ips;
    const auto hidden = std::find_if(given.begin(), given.end(),
                                     [&](const std::string& ip) { return shared && is_loopback(ip); });
    if (!given.empty() && hidden == given.end()) {
      reach.ips.push_back(given);
      if (index == 0) reach.coordinator = given.front();
      continue;
    }
    if (!given.empty() && !layout.ips_are_named) return unreachable_by_peers(name, *hidden, true);
    const Learnt learnt = learn(facts[host], shared);
    if (learnt.address.empty()) {
      return unreachable_by_peers(name, given.empty() ? facts[host].address : given.front(), false);
    }
    if (!given.empty() && layout.ranks[index].local_rank == 0) {
      reach.notes.push_back(fmt::format("{} takes part as {}", name, learnt.for_mlx));
    }
    reach.ips.push_back({learnt.for_mlx});
    if (index == 0) reach.coordinator = learnt.address;
  }
  return reach;
}

}  // namespace jackal::launch
