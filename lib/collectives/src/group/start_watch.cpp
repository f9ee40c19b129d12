#include "group/start_watch.hpp"

#include <poll.h>

#include "transports/tcp/socket.hpp"

namespace jackal::collectives {
namespace {

// How long the reason for a broken connection may take on the control connection.
constexpr auto kGrace = std::chrono::seconds(1);

}  // namespace

void StartWatch::look() {
  for (int rank = 0; rank < mesh_.size(); ++rank)
    if (mesh_.peer(rank).control) hear(rank);
  if (Clock::now() < deadline_) return;
  const std::string what = "the ranks came, but their links were not measured in time";
  if (peer_ < 0) throw Error(Code::timeout, what, -1, "", "", operation_);
  throw Error(Code::timeout,
              what + ": " + mesh_.name(mesh_.rank()) + " waited for " + mesh_.name(peer_) + ", " + way_,
              peer_, mesh_.peer(peer_).host, mesh_.peer(peer_).link, operation_);
}

void StartWatch::hear(int rank) {
  News news = mesh_.listen(rank);
  for (Frame& frame : news.frames) {
    if (frame.type == FrameType::abort) throw error_of(frame, rank);
    // Who is further on may say what is for later.
    mesh_.peer(rank).kept.push_back(std::move(frame));
  }
  if (news.closed) lost(rank, mesh_.peer(rank).trouble);
}

void StartWatch::lost(int rank, const std::string& why) {
  const Deadline patience = Clock::now() + kGrace;
  const Peer& peer = mesh_.peer(rank);
  while (peer.control && wait_for(peer.control.get(), POLLIN, patience)) {
    const News news = mesh_.listen(rank);
    for (const Frame& frame : news.frames)
      if (frame.type == FrameType::abort) throw error_of(frame, rank);
  }
  throw Error(Code::peer_lost, mesh_.name(rank) + " was lost during " + operation_ + ": " + why, rank,
              peer.host, peer.link, operation_);
}

std::span<const int> StartWatch::wake_descriptors() {
  descriptors_.clear();
  for (int rank = 0; rank < mesh_.size(); ++rank)
    if (mesh_.peer(rank).control) descriptors_.push_back(mesh_.peer(rank).control.get());
  return descriptors_;
}

}  // namespace jackal::collectives
