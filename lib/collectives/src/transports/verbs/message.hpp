// What every message on a queue pair begins with. Unreliable connections lose messages without a word, and
// the next one then lands in the receive that was meant for the lost one: so each says what it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace jackal::collectives {

/// Each size of message has a queue pair of its own, so that all messages of one have the same number of
/// frames.
enum class MessageClass : std::uint8_t { small = 0, large = 1 };
inline constexpr int kMessageClasses = 2;

enum class MessageType : std::uint8_t {
  data = 1,  // the next bytes of the stream
  state,     // no bytes: what has arrived
  probe,     // the same, and asks for the other side's state
};

struct MessageHeader {
  static constexpr std::size_t kSize = 44;

  std::uint32_t tag = 0;  // of this direction of this connection of this job
  MessageType type{};
  std::uint32_t transmission = 0;  // counts what was posted on this queue pair, repeats included
  std::uint32_t sequence = 0;      // of data: its place in the stream
  std::uint32_t length = 0;        // payload bytes
  std::uint32_t next = 0;          // of the other direction: every message before this one has arrived,
  std::uint32_t held = 0;          // and next + 1 + k where bit k is set,
  std::uint32_t consumed = 0;      // and the receives of all before this one are free again
  std::uint32_t transmissions_seen[kMessageClasses] = {};  // one past the last `transmission` that has come
  std::uint32_t checksum = 0;                              // CRC-32C of all else, or 0 when none is used

  void encode(std::byte* to) const;
  /// nullopt when it is none: wrong magic, type or length. `message` is what has arrived, padding included.
  static std::optional<MessageHeader> decode(std::span<const std::byte> message);
  /// What decode() would find as tag, if anything; 0 where the message is too short.
  static std::uint32_t tag_of(std::span<const std::byte> message);
};

/// CRC-32C (Castagnoli) of `bytes`, going on from `crc`.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0);

/// `a` comes before `b` in counters that wrap around.
constexpr bool before(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

}  // namespace jackal::collectives
