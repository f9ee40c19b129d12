// When results bypass the cache.
#pragma once

#include <cstddef>
#include <cstdint>

namespace jackal::collectives {

/// Writing around the cache saves reading what is overwritten, but the data is then far away for whoever
/// reads it next: only for outputs that would not stay in a cache.
inline constexpr std::size_t kStreamBytes = std::size_t{8} << 20;

/// The least block that is worth it where all blocks together are that large.
inline constexpr std::size_t kStreamBlock = std::size_t{2} << 10;

inline std::size_t bytes_to_boundary(const void* address, std::size_t boundary) {
  return (boundary - reinterpret_cast<std::uintptr_t>(address) % boundary) % boundary;
}

/// Results of at least `least` bytes, which are not one of the sources, and whose elements can be aligned.
inline bool streams(const void* const* sources, std::size_t sources_count, const void* out, std::size_t bytes,
                    std::size_t element, std::size_t least) {
  if (bytes < least || bytes_to_boundary(out, element) != 0) return false;
  for (std::size_t s = 0; s < sources_count; ++s)
    if (sources[s] == out) return false;
  return true;
}

}  // namespace jackal::collectives
