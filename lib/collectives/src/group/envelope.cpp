#include "group/envelope.hpp"

#include <cstring>
#include <limits>

#include "kernels/reduce.hpp"

namespace jackal::collectives {
namespace {

constexpr std::uint8_t kMagic = 0x4d;

template <class Unsigned>
void put(Envelope::Bytes& bytes, std::size_t& at, Unsigned value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
  at += sizeof value;
}

template <class Unsigned>
Unsigned get(const Envelope::Bytes& bytes, std::size_t& at) {
  Unsigned value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  at += sizeof value;
  return value;
}

bool sound(const Envelope& envelope) {
  const std::size_t element = dtype_size(envelope.dtype);
  switch (envelope.kind) {
    case Envelope::Kind::eager:
      return element > 0 && envelope.payload <= kEagerBytes && envelope.count <= kEagerBytes &&
             envelope.count * element == envelope.payload;
    case Envelope::Kind::request:
      return element > 0 && envelope.payload == 0 &&
             envelope.count <= std::uint64_t{std::numeric_limits<std::int64_t>::max()} / element;
    case Envelope::Kind::clear:
    case Envelope::Kind::credit:
      return envelope.payload == 0;
    case Envelope::Kind::data:
      return envelope.payload > 0 && envelope.payload <= kFrameBytes;
  }
  return false;
}

}  // namespace

Envelope::Bytes Envelope::encode() const {
  Bytes bytes{};
  std::size_t at = 0;
  put(bytes, at, kMagic);
  put(bytes, at, static_cast<std::uint8_t>(kind));
  put(bytes, at, static_cast<std::uint16_t>(dtype));
  put(bytes, at, source);
  put(bytes, at, destination);
  put(bytes, at, tag);
  put(bytes, at, payload);
  put(bytes, at, count);
  put(bytes, at, id);
  put(bytes, at, offset);
  return bytes;
}

std::optional<Envelope> Envelope::decode(const Bytes& bytes, int size) {
  std::size_t at = 0;
  Envelope envelope;
  const auto magic = get<std::uint8_t>(bytes, at);
  envelope.kind = static_cast<Kind>(get<std::uint8_t>(bytes, at));
  envelope.dtype = static_cast<Dtype>(get<std::uint16_t>(bytes, at));
  envelope.source = get<std::uint16_t>(bytes, at);
  envelope.destination = get<std::uint16_t>(bytes, at);
  envelope.tag = get<std::uint32_t>(bytes, at);
  envelope.payload = get<std::uint32_t>(bytes, at);
  envelope.count = get<std::uint64_t>(bytes, at);
  envelope.id = get<std::uint64_t>(bytes, at);
  envelope.offset = get<std::uint64_t>(bytes, at);
  const bool ranks =
      envelope.source < size && envelope.destination < size && envelope.source != envelope.destination;
  if (magic != kMagic || !ranks || !sound(envelope)) return std::nullopt;
  return envelope;
}

}  // namespace jackal::collectives
