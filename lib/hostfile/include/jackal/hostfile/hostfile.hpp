// The JSON host file: which hosts make up the cluster, in rank order, and which device or cable joins which
// pair. Pure model; reader.hpp makes one from text, writer.hpp makes text from one. Format: man
// jackal-hostfile(5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jackal::hostfile {

enum class Backend { ring, mpi, nccl, jaccl, jaccl_ring, jackal };

/// "ring", "jaccl-ring", …
std::string_view to_string(Backend backend);
std::optional<Backend> backend_from(std::string_view name);
/// The names that backend_from takes, for messages: "ring, mpi, nccl, jaccl, jaccl-ring, jackal".
std::string_view backend_names();
/// What to tell somebody whose `name` is no backend: "did you mean jaccl-ring?", or "" when none is close.
std::string backend_suggestion(std::string_view name);

/// JSON members that this version does not know, in file order: key → JSON text. They are kept on rewrite.
using Extras = std::vector<std::pair<std::string, std::string>>;

/// One cable between two hosts, seen from the host that lists it. What is unknown is empty.
struct Link {
  std::string ip;       // of our end
  std::string peer_ip;  // of the other end
  std::string interface;
  std::string rdma;         // the RDMA device of our end
  std::string receptacle;   // the port's number as printed beside it
  std::string domain_uuid;  // of our port
  Extras extras;

  bool operator==(const Link&) const = default;
};

struct Host {
  std::string ssh;               // what to connect to: an ssh alias, user@host or an IP address
  std::vector<std::string> ips;  // zero or more
  /// rdma[j]: the devices that reach rank j in cable order, empty for itself and unconnected pairs. Empty: no
  /// matrix.
  std::vector<std::vector<std::string>> rdma;
  /// links[j]: the cables to rank j in cable order; cable k of (i, j) is cable k of (j, i). Empty: not known.
  std::vector<std::vector<Link>> links;
  Extras extras;

  bool operator==(const Host&) const = default;
};

struct Hostfile {
  std::optional<Backend> backend;
  std::vector<std::string> envs;  // "NAME=VALUE", in order
  std::vector<Host> hosts;        // position = rank
  Extras extras;

  bool operator==(const Hostfile&) const = default;
};

}  // namespace jackal::hostfile
