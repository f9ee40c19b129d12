#include "control/messages.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <cerrno>

#include "control/bytes.hpp"

namespace jackal::collectives {
namespace {

constexpr std::size_t kNonceSize = 16;
// Longer than any host name, short enough that a hello stays below kStrangerLimit.
constexpr std::size_t kNameLimit = 512;

void put(ByteWriter& writer, const Endpoint& endpoint) {
  writer.text(endpoint.address).number(endpoint.port);
}

Endpoint get_endpoint(ByteReader& reader) {
  Endpoint endpoint;
  endpoint.address = reader.text();
  endpoint.port = reader.number<std::uint16_t>();
  return endpoint;
}

bool plausible(const Endpoint& endpoint) {
  return endpoint.port == 0 || endpoint.address.size() == 4 || endpoint.address.size() == 16;
}

}  // namespace

std::string Hello::encode() const {
  ByteWriter writer;
  writer.number(static_cast<std::uint8_t>(purpose)).number(lane).text(job.substr(0, kNameLimit));
  writer.number(static_cast<std::uint32_t>(rank)).number(static_cast<std::uint32_t>(size));
  writer.text(nonce).text(host.substr(0, kNameLimit));
  put(writer, listens);
  return writer.bytes();
}

std::optional<Hello> Hello::decode(std::string_view body) {
  ByteReader reader(body);
  Hello hello;
  const auto purpose = reader.number<std::uint8_t>();
  hello.lane = reader.number<std::uint16_t>();
  hello.job = reader.text();
  const auto rank = reader.number<std::uint32_t>();
  const auto size = reader.number<std::uint32_t>();
  hello.nonce = reader.text();
  hello.host = reader.text();
  hello.listens = get_endpoint(reader);
  if (!reader.complete() || purpose < 1 || purpose > 2 || size > std::uint32_t{kMaxSize} || rank >= size ||
      hello.nonce.size() != kNonceSize || !plausible(hello.listens))
    return std::nullopt;
  hello.purpose = static_cast<Purpose>(purpose);
  hello.rank = static_cast<int>(rank);
  hello.size = static_cast<int>(size);
  return hello;
}

std::string Welcome::encode() const {
  ByteWriter writer;
  writer.text(nonce).number(static_cast<std::uint32_t>(rank));
  return writer.bytes();
}

std::optional<Welcome> Welcome::decode(std::string_view body) {
  ByteReader reader(body);
  Welcome welcome;
  welcome.nonce = reader.text();
  const auto rank = reader.number<std::uint32_t>();
  if (!reader.complete() || rank >= std::uint32_t{kMaxSize}) return std::nullopt;
  welcome.rank = static_cast<int>(rank);
  return welcome;
}

std::string encode_table(const std::vector<Member>& members) {
  ByteWriter writer;
  writer.number(static_cast<std::uint32_t>(members.size()));
  for (const Member& member : members) {
    writer.text(member.host);
    put(writer, member.listens);
  }
  return writer.bytes();
}

std::optional<std::vector<Member>> decode_table(std::string_view body) {
  ByteReader reader(body);
  const auto count = reader.number<std::uint32_t>();
  if (count > std::uint32_t{kMaxSize}) return std::nullopt;
  std::vector<Member> members;
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    Member member;
    member.host = reader.text();
    member.listens = get_endpoint(reader);
    if (!plausible(member.listens)) return std::nullopt;
    members.push_back(std::move(member));
  }
  if (!reader.complete()) return std::nullopt;
  return members;
}

std::string random_nonce() {
  std::string nonce(kNonceSize, '\0');
  if (::getentropy(nonce.data(), nonce.size()) != 0)
    throw Error(Code::io, "cannot read random bytes: " + system_text(errno), -1, "", "", "init");
  return nonce;
}

std::string encode_error(const Error& error) {
  ByteWriter writer;
  writer.number(static_cast<std::uint8_t>(error.code())).number(static_cast<std::uint32_t>(error.rank() + 1));
  writer.text(error.host.substr(0, kNameLimit)).text(error.link.substr(0, kNameLimit));
  writer.text(error.operation.substr(0, kNameLimit)).text(std::string(error.what()).substr(0, 4096));
  return writer.bytes();
}

std::optional<Error> decode_error(std::string_view body) {
  ByteReader reader(body);
  const auto code = reader.number<std::uint8_t>();
  const auto rank = reader.number<std::uint32_t>();
  const std::string host = reader.text();
  const std::string link = reader.text();
  const std::string operation = reader.text();
  const std::string what = reader.text();
  if (!reader.complete() || code > static_cast<std::uint8_t>(Code::internal) ||
      rank > std::uint32_t{kMaxSize})
    return std::nullopt;
  return Error(static_cast<Code>(code), what, static_cast<int>(rank) - 1, host, link, operation);
}

}  // namespace jackal::collectives
