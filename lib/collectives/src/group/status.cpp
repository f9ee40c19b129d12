#include "group/status.hpp"

#include <cstring>

#include "control/bytes.hpp"

namespace jackal::collectives {
namespace {

// Whether a call of rank `owner` cannot end before rank `other` has made its part of it.
bool needs(const Status& status, int owner, int other) {
  if (status.waits == Status::Waits::message) return status.peer == other && status.unmatched;
  switch (status.operation) {
    case Operation::broadcast:
    case Operation::scatter:
      return status.root == other;
    case Operation::reduce:
    case Operation::gather:
      return status.root == owner;
    default:
      return true;
  }
}

bool nothing_between(const Status& mine, int me, const Status& theirs, int peer) {
  const Messages::Tally& here = mine.tallies[static_cast<std::size_t>(peer)];
  const Messages::Tally& there = theirs.tallies[static_cast<std::size_t>(me)];
  return here.sent == there.come && here.come == there.sent;
}

}  // namespace

std::string Status::encode() const {
  ByteWriter writer;
  writer.number(static_cast<std::uint8_t>(waits)).number(calls).number(others);
  writer.text({reinterpret_cast<const char*>(signature.bytes.data()), signature.bytes.size()});
  writer.number(static_cast<std::uint8_t>(operation)).number(static_cast<std::uint32_t>(root));
  writer.number(static_cast<std::uint32_t>(peer))
      .number(static_cast<std::uint8_t>(unmatched))
      .number(send)
      .text(text);
  for (const Messages::Tally& tally : tallies) writer.number(tally.sent).number(tally.come);
  return writer.bytes();
}

std::optional<Status> Status::decode(std::string_view body, int size) {
  ByteReader reader(body);
  Status status;
  status.waits = static_cast<Waits>(reader.number<std::uint8_t>());
  status.calls = reader.number<std::uint64_t>();
  status.others = reader.number<std::uint32_t>();
  const std::string signature = reader.text();
  status.operation = static_cast<Operation>(reader.number<std::uint8_t>());
  status.root = static_cast<int>(reader.number<std::uint32_t>());
  status.peer = static_cast<int>(reader.number<std::uint32_t>());
  status.unmatched = reader.number<std::uint8_t>() != 0;
  status.send = reader.number<std::uint64_t>();
  status.text = reader.text();
  for (int rank = 0; rank < size; ++rank) {
    Messages::Tally tally;
    tally.sent = reader.number<std::uint64_t>();
    tally.come = reader.number<std::uint64_t>();
    status.tallies.push_back(tally);
  }
  const bool known = status.waits == Waits::collective || status.waits == Waits::message;
  if (!reader.complete() || !known || signature.size() != Signature::kSize) return std::nullopt;
  std::memcpy(status.signature.bytes.data(), signature.data(), signature.size());
  return status;
}

std::optional<Conflict> conflict_of(const Status& mine, int me, const Status& theirs, int peer,
                                    const Earlier& earlier) {
  const bool collectives =
      mine.waits == Status::Waits::collective && theirs.waits == Status::Waits::collective;
  if (collectives) {
    if (theirs.calls > mine.calls) return std::nullopt;  // theirs to compare: they know this call of theirs
    const std::optional<Signature> same =
        theirs.calls == mine.calls ? std::optional(mine.signature) : earlier(theirs.calls);
    if (!same || *same == theirs.signature) return std::nullopt;
    return Conflict{same->text(), theirs.signature.text()};
  }
  // One of them waits for a message. Both need each other, nothing is on its way between them, and neither
  // has anything else under way that could still help: so it stays.
  if (mine.others > 0 || theirs.others > 0) return std::nullopt;
  if (!needs(mine, me, peer) || !needs(theirs, peer, me)) return std::nullopt;
  if (!nothing_between(mine, me, theirs, peer)) return std::nullopt;
  // A collective that the other one has already made its part of is no reason.
  if (mine.waits == Status::Waits::collective && theirs.calls >= mine.calls) return std::nullopt;
  if (theirs.waits == Status::Waits::collective && mine.calls >= theirs.calls) return std::nullopt;
  return Conflict{mine.text, theirs.text};
}

}  // namespace jackal::collectives
