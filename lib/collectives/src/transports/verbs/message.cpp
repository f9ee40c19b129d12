#include "transports/verbs/message.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace jackal::collectives {
namespace {

// Layout, all little-endian u32: magic|type, tag, transmission, sequence, length, next, held, consumed,
// transmissions_seen[2], checksum.
constexpr std::uint32_t kMagic = 0x4a4b5500;  // "\0UKJ", the type in the lowest byte
constexpr std::size_t kChecksumAt = 40;

static_assert(std::endian::native == std::endian::little);

void put(std::byte* to, std::size_t index, std::uint32_t value) {
  std::memcpy(to + 4 * index, &value, sizeof value);
}

std::uint32_t get(const std::byte* from, std::size_t index) {
  std::uint32_t value = 0;
  std::memcpy(&value, from + 4 * index, sizeof value);
  return value;
}

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    table[i] = crc;
  }
  return table;
}

}  // namespace

void MessageHeader::encode(std::byte* to) const {
  put(to, 0, kMagic | static_cast<std::uint32_t>(type));
  put(to, 1, tag);
  put(to, 2, transmission);
  put(to, 3, sequence);
  put(to, 4, length);
  put(to, 5, next);
  put(to, 6, held);
  put(to, 7, consumed);
  put(to, 8, transmissions_seen[0]);
  put(to, 9, transmissions_seen[1]);
  put(to, 10, checksum);
}

std::optional<MessageHeader> MessageHeader::decode(std::span<const std::byte> message) {
  if (message.size() < kSize) return std::nullopt;
  const std::byte* from = message.data();
  const std::uint32_t first = get(from, 0);
  const std::uint32_t type = first & 0xff;
  if ((first & ~0xffu) != kMagic || type < 1 || type > 3) return std::nullopt;
  MessageHeader header;
  header.type = static_cast<MessageType>(type);
  header.tag = get(from, 1);
  header.transmission = get(from, 2);
  header.sequence = get(from, 3);
  header.length = get(from, 4);
  header.next = get(from, 5);
  header.held = get(from, 6);
  header.consumed = get(from, 7);
  header.transmissions_seen[0] = get(from, 8);
  header.transmissions_seen[1] = get(from, 9);
  header.checksum = get(from, 10);
  if (header.length > message.size() - kSize) return std::nullopt;
  static_assert(kChecksumAt + 4 == kSize);
  return header;
}

std::uint32_t MessageHeader::tag_of(std::span<const std::byte> message) {
  return message.size() < kSize ? 0 : get(message.data(), 1);
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc) {
  static constexpr auto kTable = crc_table();
  crc = ~crc;
  for (const std::byte byte : bytes)
    crc = crc >> 8 ^ kTable[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
  return ~crc;
}

}  // namespace jackal::collectives
