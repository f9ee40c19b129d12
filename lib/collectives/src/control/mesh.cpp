#include "control/mesh.hpp"

#include <array>

#include "control/messages.hpp"
#include "transports/tcp/socket.hpp"

namespace jackal::collectives {
namespace {

// A rank is at most one share ahead of another: it needs everybody's bytes to go on.
constexpr std::size_t kMostShares = 2;

}  // namespace

Mesh::Mesh(int rank, int size, std::string secret, Log log)
    : rank_(rank), size_(size), secret_(std::move(secret)), log_(log) {
  peers_.resize(static_cast<std::size_t>(size));
}

News Mesh::listen(int rank) {
  Peer& from = peer(rank);
  News news;
  news.frames.swap(from.kept);
  std::array<char, 4096> chunk;
  while (from.control && !news.closed) {
    // First what came together with the end of the handshake.
    while (auto frame = from.reader.next()) {
      if (frame->type == FrameType::goodbye) from.left = true;
      if (frame->type == FrameType::share) {
        from.shares.push_back(std::move(frame->body));
      } else {
        news.frames.push_back(std::move(*frame));
      }
    }
    from.trouble = from.reader.problem();
    if (from.shares.size() > kMostShares) from.trouble = "it sent more than anybody had asked for";
    if (from.trouble.empty()) {
      const Moved moved = receive_some(from.control.get(), chunk.data(), chunk.size());
      if (moved.bytes == 0 && moved.error == 0 && !moved.end) break;
      from.reader.feed({chunk.data(), moved.bytes});
      if (moved.end) from.trouble = "it closed the connection";
      if (moved.error != 0) from.trouble = system_text(moved.error);
    }
    news.closed = !from.trouble.empty();
  }
  if (news.closed) from.control.reset();
  return news;
}

void Mesh::tell_all(const std::string& frame, bool may_be_missed) {
  for (Peer& to : peers_) {
    if (!to.control) continue;
    // The connection is nearly idle, so this mostly fits its buffer. A frame that has begun must be finished
    // before another begins; what never fits, the end of the connection says well enough.
    if (to.unsent.empty() || !may_be_missed) to.unsent += frame;
    const iovec piece = {to.unsent.data(), to.unsent.size()};
    to.unsent.erase(0, send_some(to.control.get(), {&piece, 1}).bytes);
  }
}

void Mesh::announce(const Error& error) {
  tell_all(encode_frame(FrameType::abort, encode_error(error), secret_), false);
}

void Mesh::say_goodbye(const std::string& body) {
  tell_all(encode_frame(FrameType::goodbye, body, secret_), false);
}

void Mesh::tell_status(const std::string& body) {
  tell_all(encode_frame(FrameType::status, body, secret_), true);
}

Error error_of(const Frame& abort, int from) {
  if (auto error = decode_error(abort.body)) return std::move(*error);
  return Error(Code::internal, "rank " + std::to_string(from) + " sent a message that cannot be read", from);
}

}  // namespace jackal::collectives
