#include "control/frame.hpp"

#include <algorithm>

#include "control/bytes.hpp"
#include "control/sha256.hpp"

namespace jackal::collectives {
namespace {

constexpr std::string_view kMagic = "JKLF";
constexpr std::size_t kHeaderSize = 12;
constexpr std::size_t kTagSize = 32;

std::string_view view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

std::string encode_frame(FrameType type, std::string_view body, std::string_view secret) {
  ByteWriter header;
  header.number(kProtocolVersion).number(static_cast<std::uint8_t>(type)).number(std::uint8_t{0});
  header.number(static_cast<std::uint32_t>(body.size()));
  std::string bytes(kMagic);
  bytes += header.bytes();
  bytes += body;
  bytes += view(hmac_sha256(secret, bytes));
  return bytes;
}

std::optional<Frame> FrameReader::next() {
  if (!problem_.empty()) return std::nullopt;
  const std::string_view all(buffer_);
  // A stranger is recognised by its first byte that differs, before a whole header has come.
  const std::size_t known = std::min(all.size(), kMagic.size());
  if (all.substr(0, known) != kMagic.substr(0, known)) {
    problem_ = "what came is not Jackal's protocol";
    return std::nullopt;
  }
  if (all.size() < kHeaderSize) return std::nullopt;
  ByteReader header(all.substr(kMagic.size(), kHeaderSize - kMagic.size()));
  const auto version = header.number<std::uint16_t>();
  const auto type = header.number<std::uint8_t>();
  header.number<std::uint8_t>();
  const std::size_t length = header.number<std::uint32_t>();
  if (version != kProtocolVersion) {
    problem_ = "the other side speaks version " + std::to_string(version) + " of the protocol, this one " +
               std::to_string(kProtocolVersion);
    return std::nullopt;
  }
  if (length > limit_) {
    problem_ = "a frame of " + std::to_string(length) + " bytes, more than the " + std::to_string(limit_) +
               " that may come here";
    return std::nullopt;
  }
  const std::size_t total = kHeaderSize + length + kTagSize;
  if (all.size() < total) return std::nullopt;
  const Digest tag = hmac_sha256(secret_, all.substr(0, kHeaderSize + length));
  if (!same_digest(view(tag), all.substr(kHeaderSize + length, kTagSize))) {
    problem_ = "the other side does not hold this job's secret";
    return std::nullopt;
  }
  Frame frame{static_cast<FrameType>(type), std::string(all.substr(kHeaderSize, length))};
  buffer_.erase(0, total);
  return frame;
}

}  // namespace jackal::collectives
