// The frames of point-to-point messages, as they travel on a `messages` channel: a header of 40 bytes, then
// as many bytes of payload as it says. Little-endian.
//
//   eager    source → destination   a whole message of at most kEagerBytes
//   request  source → destination   a longer one waits at the source under `id`
//   clear    destination → source   send the one of `id`
//   data     source → destination   its bytes from `offset` on
//   credit   destination → source   `offset` more bytes have been taken: of eager messages (id 0), or of data
//                                   that came by way of others (id 1)
//
// Where two ranks have no link, the ranks between them pass the frames on unchanged.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "error.hpp"

namespace jackal::collectives {

/// Longer messages wait for their receiver.
inline constexpr std::size_t kEagerBytes = 64 << 10;
/// The most payload of one frame.
inline constexpr std::size_t kFrameBytes = 512 << 10;

struct Envelope {
  enum class Kind : std::uint8_t { eager = 1, request, clear, data, credit };
  static constexpr std::size_t kSize = 40;
  using Bytes = std::array<std::byte, kSize>;

  Kind kind{};
  Dtype dtype = Dtype::uint8;
  std::uint16_t source = 0;
  std::uint16_t destination = 0;
  std::uint32_t tag = 0;
  std::uint64_t count = 0;    // elements of the message
  std::uint64_t id = 0;       // the source's number of the message
  std::uint64_t offset = 0;   // bytes
  std::uint32_t payload = 0;  // bytes after the header

  Bytes encode() const;
  /// nullopt for what no rank of a group of `size` sends.
  static std::optional<Envelope> decode(const Bytes& bytes, int size);
  bool operator==(const Envelope&) const = default;
};

}  // namespace jackal::collectives
