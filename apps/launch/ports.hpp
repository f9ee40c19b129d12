// Which TCP ports the job's ranks listen on: none that somebody has already. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"
#include "launch/job.hpp"

namespace jackal::launch {

/// Whether a port of this host will be handed out, so that its busy ones must be known: in a ring every rank
/// listens, elsewhere rank 0 alone.
bool hands_out_ports(const Layout& layout, std::size_t host);

/// A port that a flag names and that has a default.
struct PortWish {
  std::string_view flag;
  std::uint16_t usual;
  std::optional<std::uint16_t> given;
};

/// The first of consecutive ports; port number k is listened on at host listeners[k]. The usual one moves up
/// when any of them is taken, and says so in `notes`; one that the user gave is an error then.
Result<std::uint16_t> consecutive_ports(const PortWish& wish, const std::vector<std::size_t>& listeners,
                                        const Layout& layout, const std::vector<NodeFacts>& facts,
                                        std::vector<std::string>& notes);

/// One of 20000–32000 that is not in `taken`; the same for the same seed. `host` is named in the error.
Result<std::uint16_t> random_port(std::uint64_t seed, const std::set<std::uint16_t>& taken,
                                  const std::string& host);

}  // namespace jackal::launch
