// Who is cabled to whom: the nodes' reports joined into one picture. Pure. Cables are found by domain UUID,
// through hubs to any depth, and a cable that only one of its two machines reports still counts.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jackal/tbdiscovery/report.hpp"

namespace jackal::tbdiscovery {

enum class Generation { unknown, thunderbolt3, thunderbolt4, thunderbolt5 };

/// "Thunderbolt 5", …; "Thunderbolt" when it is not known.
std::string_view to_string(Generation generation);

struct Port {
  std::string receptacle;  // the number printed beside it; empty where the node does not say
  std::string domain_uuid;
  Generation generation = Generation::unknown;
  bool connected = false;
  double gbps = 0;                  // 0: not known
  bool linked = false;              // gbps is the link's speed, not the most that the port could do
  std::string interface;            // empty: not known
  std::string rdma_device;          // the name that the interface's device has; empty: interface not known
  std::optional<bool> rdma_listed;  // whether the system has that device
  PortState rdma_state = PortState::unknown;
  bool gids_known = false;
  std::vector<Gid> gids;
  std::string bridge;          // that the interface is a member of; empty for none
  std::optional<bool> active;  // the interface has a link
  std::vector<InterfaceAddress> addresses;

  /// Whether an IPv4 address is among the GIDs, as RDMA needs it.
  bool has_ipv4_gid() const;
};

/// Whether a node can do RDMA now, and if not, why.
enum class Rdma {
  unknown,
  unsupported,  // its hardware never will
  old_system,   // before macOS 26.2
  disabled,
  no_device,  // switched on, yet no device: not restarted since
  enabled
};

struct Node {
  NodeReport report;
  std::vector<Port> ports;  // by receptacle
  Rdma rdma = Rdma::unknown;
  bool rdma_seen_by_peers = false;  // `rdma` is what its neighbours see; the node itself did not say

  const std::string& name() const { return report.node; }
};

struct End {
  std::size_t node = 0;
  std::size_t port = 0;  // in Node::ports

  auto operator<=>(const End&) const = default;
};

struct Cable {
  End a;  // a < b
  End b;
  double gbps = 0;                   // 0: not known
  std::vector<std::string> through;  // hubs and docks in between, from a to b
  bool seen_by_a = false;
  bool seen_by_b = false;
  std::optional<bool> a_offers_rdma;  // as b sees it
  std::optional<bool> b_offers_rdma;  // as a sees it

  const End& end_at(std::size_t node) const { return a.node == node ? a : b; }
  const End& end_beyond(std::size_t node) const { return a.node == node ? b : a; }
};

/// A computer on a cable that is none of the listed nodes.
struct Stranger {
  End port;
  std::string name;
  std::string model;
  std::string domain_uuid;
  std::vector<std::string> through;
};

/// A drive, dock, hub or display.
struct Attachment {
  End port;
  std::string name;
  std::string vendor;
  int depth = 0;  // 0: on the port itself
};

struct ClusterMap {
  std::vector<Node> nodes;    // in the order in which they were named
  std::vector<Cable> cables;  // sorted by ends: cable k of a pair is the same cable from both sides
  std::vector<Stranger> strangers;
  std::vector<Attachment> attachments;
  std::vector<std::pair<std::size_t, std::size_t>> same_machine;  // two names, one machine

  const Port& port(const End& end) const { return nodes[end.node].ports[end.port]; }
  const Node& node(const End& end) const { return nodes[end.node]; }
};

ClusterMap build_map(std::vector<NodeReport> reports);

/// Cables between two different nodes, in order; their indices in `cables`.
std::vector<std::size_t> cables_between(const ClusterMap& map, std::size_t a, std::size_t b);

/// Why RDMA cannot use this cable now, in words that fit "cable …: WHY"; empty when it can.
std::string rdma_obstacle(const ClusterMap& map, const Cable& cable);
/// Why TCP cannot use this cable; empty when it can.
std::string tcp_obstacle(const ClusterMap& map, const Cable& cable);

/// "m1 port 3", or "m1" where the port is not known.
std::string describe(const ClusterMap& map, const End& end);
/// "m1 port 3 – m2 port 1".
std::string describe(const ClusterMap& map, const Cable& cable);

}  // namespace jackal::tbdiscovery
