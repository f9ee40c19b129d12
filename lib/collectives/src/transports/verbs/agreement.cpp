#include "transports/verbs/agreement.hpp"

#include <cstring>

#include "control/bytes.hpp"

namespace jackal::collectives {
namespace {

constexpr std::size_t kMostCables = 65536;

std::string_view view(const ibv_gid& gid) { return {reinterpret_cast<const char*>(gid.raw), sizeof gid.raw}; }

void encode_cable(ByteWriter& writer, const CableOffer& cable) {
  writer.number(static_cast<std::uint32_t>(cable.peer)).number(static_cast<std::uint16_t>(cable.cable));
  writer.number(static_cast<std::uint8_t>(cable.queue_pairs));
  writer.text(view(cable.end.gid)).number(cable.end.lid).number(cable.end.mtu).number(cable.end.tag);
  writer.number(static_cast<std::uint8_t>(cable.end.queue_pairs.size()));
  for (const QueuePairEnd& end : cable.end.queue_pairs) writer.number(end.number).number(end.psn);
}

std::optional<CableOffer> decode_cable(ByteReader& reader) {
  CableOffer cable;
  cable.peer = static_cast<int>(reader.number<std::uint32_t>());
  cable.cable = reader.number<std::uint16_t>();
  cable.queue_pairs = reader.number<std::uint8_t>();
  const std::string gid = reader.text();
  cable.end.lid = reader.number<std::uint16_t>();
  cable.end.mtu = reader.number<std::uint8_t>();
  cable.end.tag = reader.number<std::uint32_t>();
  const int ends = reader.number<std::uint8_t>();
  if (!reader.ok() || gid.size() != sizeof cable.end.gid.raw || cable.queue_pairs > kMessageClasses ||
      ends > kMessageClasses)
    return std::nullopt;
  std::memcpy(cable.end.gid.raw, gid.data(), gid.size());
  for (int i = 0; i < ends; ++i) {
    QueuePairEnd end;
    end.number = reader.number<std::uint32_t>();
    end.psn = reader.number<std::uint32_t>();
    cable.end.queue_pairs.push_back(end);
  }
  return cable;
}

}  // namespace

std::string Offer::encode() const {
  ByteWriter writer;
  writer.text(problem).number(static_cast<std::uint8_t>(code));
  writer.number(static_cast<std::uint32_t>(cables.size()));
  for (const CableOffer& cable : cables) encode_cable(writer, cable);
  return writer.bytes();
}

std::optional<Offer> Offer::decode(std::string_view bytes) {
  ByteReader reader(bytes);
  Offer offer;
  offer.problem = reader.text();
  const auto code = reader.number<std::uint8_t>();
  const std::size_t count = reader.number<std::uint32_t>();
  if (!reader.ok() || code > static_cast<std::uint8_t>(Code::internal) || count > kMostCables)
    return std::nullopt;
  offer.code = static_cast<Code>(code);
  for (std::size_t i = 0; i < count; ++i) {
    auto cable = decode_cable(reader);
    if (!cable) return std::nullopt;
    offer.cables.push_back(std::move(*cable));
  }
  return reader.complete() ? std::optional(std::move(offer)) : std::nullopt;
}

const CableOffer* Offer::find(int peer, int cable) const {
  for (const CableOffer& one : cables)
    if (one.peer == peer && one.cable == cable) return &one;
  return nullptr;
}

CableOffer& Offer::of(int peer, int cable) {
  if (const CableOffer* one = find(peer, cable)) return cables[static_cast<std::size_t>(one - cables.data())];
  return cables.emplace_back(CableOffer{peer, cable, 0, {}});
}

}  // namespace jackal::collectives
