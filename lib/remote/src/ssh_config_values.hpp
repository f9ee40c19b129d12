// The values of keywords: what they may be, and what they mean.
#pragma once

#include <chrono>
#include <optional>

#include "jackal/remote/ssh_config.hpp"
#include "ssh_config_lines.hpp"

namespace jackal::remote {

/// Whether the line's value is one that its keyword takes; the error says what was expected.
Result<void> check_value(const ConfigLine& line);

/// ProxyJump's list, without the comment that OpenSSH allows after it.
std::string_view jump_list(std::string_view rest);

std::optional<bool> parse_flag(std::string_view text);
std::optional<StrictHostKeyChecking> parse_strict(std::string_view text);
std::optional<AddressFamily> parse_family(std::string_view text);

/// "90", "1m30s"; OpenSSH's units are s, m, h, d and w.
std::optional<std::chrono::seconds> parse_time(std::string_view text);

}  // namespace jackal::remote
