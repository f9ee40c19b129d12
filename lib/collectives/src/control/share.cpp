// Mesh::share(): a rank sends its bytes to rank 0, which sends everybody's to all. A frame's body is the
// share's number and then one blob (to rank 0) or one a rank (from rank 0).
#include <poll.h>

#include <algorithm>

#include "control/bytes.hpp"
#include "control/mesh.hpp"
#include "control/messages.hpp"
#include "transports/tcp/socket.hpp"

namespace jackal::collectives {
namespace {

// Rank 0 knows better than the others why it does not answer; it has this time to say so.
constexpr auto kVerdictPatience = std::chrono::seconds(1);

class Sharing {
public:
  Sharing(Mesh& mesh, std::uint64_t number, Deadline deadline, const std::string& operation)
      : mesh_(mesh),
        number_(number),
        deadline_(mesh.rank() == 0 ? deadline : deadline + kVerdictPatience),
        operation_(operation) {}

  std::vector<std::string> collect(const std::string& mine) {
    std::vector<std::string> all(static_cast<std::size_t>(mesh_.size()));
    all[0] = mine;
    for (int rank = 1; rank < mesh_.size(); ++rank) {
      ByteReader reader = await(rank);
      all[static_cast<std::size_t>(rank)] = reader.blob();
      if (!reader.complete()) out_of_step(rank);
    }
    ByteWriter writer;
    writer.number(number_);
    for (const std::string& one : all) writer.blob(one);
    for (int rank = 1; rank < mesh_.size(); ++rank) send(rank, writer.bytes());
    return all;
  }

  std::vector<std::string> take_part(const std::string& mine) {
    ByteWriter writer;
    writer.number(number_).blob(mine);
    send(0, writer.bytes());
    ByteReader reader = await(0);
    std::vector<std::string> all(static_cast<std::size_t>(mesh_.size()));
    for (std::string& one : all) one = reader.blob();
    if (!reader.complete()) out_of_step(0);
    return all;
  }

private:
  Error error(Code code, const std::string& what, int rank) const {
    const Peer& peer = mesh_.peer(rank);
    return Error(code, operation_ + ": " + what, rank, peer.host, peer.link, operation_);
  }

  [[noreturn]] void out_of_step(int rank) const {
    throw error(Code::internal, mesh_.name(rank) + " sent what does not belong here", rank);
  }

  // What `rank` has sent for this share, behind its number.
  ByteReader await(int rank) {
    Peer& peer = mesh_.peer(rank);
    hear(rank);  // it may have come long ago
    while (peer.shares.empty()) {
      if (!peer.control) lost(rank);
      wait(rank, 0);
    }
    body_ = std::move(peer.shares.front());
    peer.shares.pop_front();
    ByteReader reader(body_);
    if (reader.number<std::uint64_t>() != number_) out_of_step(rank);
    return reader;
  }

  void send(int rank, const std::string& body) {
    Peer& peer = mesh_.peer(rank);
    peer.unsent += encode_frame(FrameType::share, body, mesh_.secret());
    while (!peer.unsent.empty()) {
      if (!peer.control) lost(rank);
      const iovec piece = {peer.unsent.data(), peer.unsent.size()};
      const Moved moved = send_some(peer.control.get(), {&piece, 1});
      peer.unsent.erase(0, moved.bytes);
      // Why, the connection itself may still say.
      if (moved.error != 0) hear(rank);
      if (moved.error != 0 && peer.control)
        throw error(Code::peer_lost, lost_text(rank, system_text(moved.error)), rank);
      if (!peer.unsent.empty()) wait(rank, POLLOUT);
    }
  }

  // Until something has come from anybody, or `rank` has one of `events`.
  void wait(int rank, short events) {
    std::vector<pollfd> entries;
    for (int other = 0; other < mesh_.size(); ++other)
      entries.push_back({mesh_.peer(other).control.get(), POLLIN, 0});
    entries[static_cast<std::size_t>(rank)].events = static_cast<short>(POLLIN | events);
    if (Clock::now() >= deadline_)
      throw error(Code::timeout, mesh_.name(mesh_.rank()) + " waited too long for " + mesh_.name(rank), rank);
    ::poll(entries.data(), static_cast<nfds_t>(entries.size()), poll_milliseconds(deadline_));
    for (int other = 0; other < mesh_.size(); ++other)
      if (entries[static_cast<std::size_t>(other)].revents != 0) hear(other);
  }

  // Others than rank 0 may be done before this rank is, and leave.
  void hear(int rank) {
    News news = mesh_.listen(rank);
    for (Frame& frame : news.frames) {
      if (frame.type == FrameType::abort) throw error_of(frame, rank);
      mesh_.peer(rank).kept.push_back(std::move(frame));
    }
  }

  std::string lost_text(int rank, const std::string& why) const {
    return mesh_.name(rank) + (mesh_.peer(rank).left ? " has left the group" : " was lost: " + why);
  }
  [[noreturn]] void lost(int rank) const {
    throw error(Code::peer_lost, lost_text(rank, mesh_.peer(rank).trouble), rank);
  }

  Mesh& mesh_;
  std::uint64_t number_;
  Deadline deadline_;
  const std::string& operation_;
  std::string body_;
};

}  // namespace

std::vector<std::string> Mesh::share(const std::string& mine, Deadline deadline,
                                     const std::string& operation) {
  if (mine.size() + 8 > kRankLimit / static_cast<std::size_t>(size_))
    throw Error(Code::internal,
                operation + ": " + std::to_string(mine.size()) + " bytes are too many to share", rank_,
                peer(rank_).host, "", operation);
  ++shares_;
  if (size_ == 1) return {mine};
  Sharing sharing(*this, shares_, deadline, operation);
  return rank_ == 0 ? sharing.collect(mine) : sharing.take_part(mine);
}

}  // namespace jackal::collectives
