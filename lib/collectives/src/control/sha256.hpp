// SHA-256 (FIPS 180-4) and HMAC (RFC 2104): enough to prove that a rank holds the job's secret.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace jackal::collectives {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view bytes);
Digest hmac_sha256(std::string_view key, std::string_view bytes);

/// Takes the same time wherever the two differ.
bool same_digest(std::string_view a, std::string_view b);

}  // namespace jackal::collectives
