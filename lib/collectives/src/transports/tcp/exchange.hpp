// Moves bytes between this rank and its peers, all of them at once, and watches the control connections while
// it waits. Queue what is to go and to come, then run. One thread.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <vector>

#include "control/mesh.hpp"

namespace jackal::collectives {

class Exchange {
public:
  /// `operation` is for messages, such as "all_sum of 10 float32". Both references outlive the exchange.
  Exchange(Mesh& mesh, const std::string& operation, Deadline deadline, std::chrono::milliseconds timeout);

  /// In the order of the calls, for each peer. The memory stays in place until run() returns.
  void send(int to, const void* bytes, std::size_t size);
  void receive(int from, void* bytes, std::size_t size);

  enum class Until { received, done };
  /// Until all that was queued has come (`received`), or has also gone (`done`). Throws Error: peer_lost,
  /// timeout, or what another rank has announced.
  void run(Until until);

private:
  struct Lane {
    std::deque<iovec> out;
    std::deque<iovec> in;
    Deadline doomed = Deadline::max();  // when a peer without control connection counts as lost
  };

  bool finished(Until until) const;
  bool move(int rank);  // true when anything moved
  bool push(int rank);
  bool pull(int rank);
  void wait(Until until);
  void hear(int rank);
  [[noreturn]] void lost(int rank, const std::string& why);
  [[noreturn]] void late(Until until) const;
  bool owes(int rank, Until until) const;

  Lane& lane(int rank) { return lanes_[static_cast<std::size_t>(rank)]; }
  const Lane& lane(int rank) const { return lanes_[static_cast<std::size_t>(rank)]; }

  Mesh& mesh_;
  const std::string& operation_;
  Deadline deadline_;
  std::chrono::milliseconds timeout_;
  std::vector<Lane> lanes_;
};

}  // namespace jackal::collectives
