// Values as bytes, little-endian; texts and blobs carry their length. The reader never trusts what it reads:
// once anything is short, every later value is empty and ok() is false.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jackal::collectives {

class ByteWriter {
public:
  template <class Unsigned>
  ByteWriter& number(Unsigned value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
      bytes_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
    return *this;
  }
  /// Cut to 65535 bytes, the most that the length can say.
  ByteWriter& text(std::string_view text) {
    text = text.substr(0, 0xffff);
    number(static_cast<std::uint16_t>(text.size()));
    bytes_ += text;
    return *this;
  }
  /// At most 4 GiB.
  ByteWriter& blob(std::string_view bytes) {
    number(static_cast<std::uint32_t>(bytes.size()));
    bytes_ += bytes;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

private:
  std::string bytes_;
};

class ByteReader {
public:
  explicit ByteReader(std::string_view bytes) : left_(bytes) {}

  template <class Unsigned>
  Unsigned number() {
    const std::string_view raw = take(sizeof(Unsigned));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < raw.size(); ++i)
      value |= std::uint64_t{static_cast<std::uint8_t>(raw[i])} << (8 * i);
    return static_cast<Unsigned>(value);
  }
  std::string text() { return std::string(take(number<std::uint16_t>())); }
  std::string blob() { return std::string(take(number<std::uint32_t>())); }

  bool ok() const { return ok_; }
  /// Everything was there and nothing is left over.
  bool complete() const { return ok_ && left_.empty(); }

private:
  std::string_view take(std::size_t size) {
    if (!ok_ || size > left_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  std::string_view left_;
  bool ok_ = true;
};

}  // namespace jackal::collectives
