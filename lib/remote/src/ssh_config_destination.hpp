// Hosts as people type them, on a command line, in a host file or in ProxyJump.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"

namespace jackal::remote {

struct Destination {
  std::string host;
  std::optional<std::string> user;
  std::optional<std::uint16_t> port;
  std::optional<std::string> jumps;  // what `ssh -J` would say: instead of the configuration's ProxyJump
};

/// `host`, `user@host` or `ssh://user@host:port`. What a shell could take for more than a name is refused, as
/// OpenSSH does: these words end in ProxyCommand lines.
Result<Destination> parse_destination(std::string_view text);

/// ProxyJump's list: `user@host:port` or `ssh://…`, with commas between; "none" is the caller's business.
Result<std::vector<Destination>> parse_jumps(std::string_view list);

/// The host written so that parse_jumps reads it again.
std::string jump_text(const Destination& jump);

std::optional<std::uint16_t> parse_port(std::string_view text);

}  // namespace jackal::remote
