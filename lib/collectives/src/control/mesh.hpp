// The ranks of a group and this rank's connections to each of them: a control connection, which stays idle
// unless a rank fails or leaves, and a data connection.
#pragma once

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
  std::string link;  // the far end of the data connection, "ADDRESS:PORT"
  UniqueFd control;  // closed once the peer has closed it
  FrameReader reader{"", 0};
  UniqueFd data;
  bool left = false;    // said goodbye
  std::string trouble;  // why `control` was closed without a goodbye
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

  /// Reads what has come from `rank` without waiting. Notes a goodbye and the end of the connection.
  News listen(int rank);

  /// Tells every rank that can still be told why the group has ended. Never waits, never fails.
  void announce(const Error& error);
  void say_goodbye();

private:
  void tell_all(const std::string& frame);

  int rank_ = 0;
  int size_ = 1;
  std::string secret_;
  Log log_;
  std::vector<Peer> peers_;
};

/// The Error that an abort frame carries, as this rank throws it.
Error error_of(const Frame& abort, int from);

}  // namespace jackal::collectives
