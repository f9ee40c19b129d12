// Sizes as people write them, and the series of sizes that a run goes through. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackal::bench {

/// "8", "64K", "128M", "1G", "512KiB": K, M and G (small ones, too) are powers of 1024. nullopt for anything
/// else, 0 and what does not fit included.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// "8 B", "64 KiB", "1.5 MiB".
std::string size_text(std::uint64_t bytes);

/// least, least × factor, … up to and including `most`. factor is at least 2.
std::vector<std::uint64_t> size_series(std::uint64_t least, std::uint64_t most, std::uint64_t factor);

}  // namespace jackal::bench
