// The envelope of everything on a control connection, and of the first frames of a data connection:
//
//   magic "JKLF" | version u16 | type u8 | 0 u8 | body length u32 | body | HMAC-SHA256 of all before it (32)
//
// The key is the job's secret (empty when the starter gave none, when it still catches damage). A stranger's
// bytes fail at the magic, at the length or at the HMAC, and cost at most `limit` bytes of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jackal::collectives {

inline constexpr std::uint16_t kProtocolVersion = 1;

enum class FrameType : std::uint8_t {
  hello = 1,  // who connects, and for what
  welcome,    // the answer to hello
  refusal,    // the other answer to hello: why not
  table,      // rank 0 to all: where every rank listens
  ready,      // a rank to rank 0: all my connections stand
  go,         // rank 0 to all: so do everybody's
  abort,      // the group has ended, and why
  goodbye,    // this rank leaves in good order
  share,      // a rank to rank 0, and rank 0 to all: bytes that everybody is to have
  status,     // which call this rank is in, sent when it waits for long
};

struct Frame {
  FrameType type{};
  std::string body;
};

std::string encode_frame(FrameType type, std::string_view body, std::string_view secret);

/// Cuts a stream into frames.
class FrameReader {
public:
  /// `limit`: the longest body that is accepted.
  FrameReader(std::string secret, std::size_t limit) : secret_(std::move(secret)), limit_(limit) {}

  void feed(std::string_view bytes) { buffer_ += bytes; }
  void set_limit(std::size_t limit) { limit_ = limit; }

  /// The next whole frame; nullopt when more bytes are needed or problem() is not empty.
  std::optional<Frame> next();

  /// Why the stream cannot be read any further; empty while it can.
  const std::string& problem() const { return problem_; }

private:
  std::string secret_;
  std::size_t limit_;
  std::string buffer_;
  std::string problem_;
};

}  // namespace jackal::collectives
