// The ranks of a group and this rank's control connection to each of them, which stays idle but for what all
// ranks are to know: bytes that they share, and that a rank waits, fails or leaves.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "control/frame.hpp"
#include "error.hpp"
#include "jackal/base/unique_fd.hpp"
#include "log.hpp"

namespace jackal::collectives {

struct Peer {
  std::string host;
  std::string link;  // the far end of the connection, "ADDRESS:PORT", for messages
  UniqueFd control;  // closed once the peer has closed it
  FrameReader reader{"", 0};
  bool left = false;               // said goodbye
  std::string trouble;             // why `control` was closed without a goodbye
  std::deque<std::string> shares;  // what it has sent for Mesh::share(), in order
  std::vector<Frame> kept;         // what came during a share() and is still to be told by listen()
  std::string unsent;              // what did not fit the connection's buffer
};

/// What one look at a peer's control connection brought.
struct News {
  std::vector<Frame> frames;  // in order
  bool closed = false;        // the connection is gone; Peer::trouble says why
};

class Mesh {
public:
  Mesh() = default;
  Mesh(int rank, int size, std::string secret, Log log);

  int rank() const { return rank_; }
  int size() const { return size_; }
  const Log& log() const { return log_; }
  const std::string& secret() const { return secret_; }

  /// Of this rank itself only `host` is used.
  Peer& peer(int rank) { return peers_[static_cast<std::size_t>(rank)]; }
  const Peer& peer(int rank) const { return peers_[static_cast<std::size_t>(rank)]; }
  std::string name(int rank) const { return rank_name(rank, peer(rank).host); }

  /// Reads what has come from `rank` without waiting. Notes a goodbye and the end of the connection; what it
  /// sends for share() is kept for that.
  News listen(int rank);

  /// Collective: every rank's bytes to every rank, in rank order, by way of rank 0. At most
  /// kRankLimit / size() - 8 bytes each. Throws Error: peer_lost, timeout, or what another rank has
  /// announced; announces nothing itself. `operation` is for messages.
  std::vector<std::string> share(const std::string& mine, Deadline deadline,
                                 const std::string& operation = "init");

  /// Sends a status frame to every rank; listen() returns it there. Never waits, never fails: a rank that
  /// does not read any more misses it.
  void tell_status(const std::string& body);

  /// Tells every rank that can still be told why the group has ended. Never waits, never fails.
  void announce(const Error& error);
  /// `body`: what those that still wait are to know; listen() returns the frame.
  void say_goodbye(const std::string& body = "");

private:
  void tell_all(const std::string& frame, bool may_be_missed);

  int rank_ = 0;
  int size_ = 1;
  std::string secret_;
  Log log_;
  std::vector<Peer> peers_;
  std::uint64_t shares_ = 0;  // begun
};

/// The Error that an abort frame carries, as this rank throws it.
Error error_of(const Frame& abort, int from);

}  // namespace jackal::collectives
