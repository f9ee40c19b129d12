// The ranks of one host that share memory: how they find each other, and what they get from it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "group/call.hpp"
#include "kernels/reduce.hpp"
#include "transports/channel.hpp"
#include "transports/pacer.hpp"
#include "transports/shm/limits.hpp"

namespace jackal::collectives {

/// Hands every rank's bytes to every rank, in rank order; a collective call. Given by the control plane.
using ShareBytes = std::function<std::vector<std::string>(const std::string& mine)>;

class ShmDomain {
public:
  /// Collective over all ranks of the group, also those that will not share memory. Two ranks share when
  /// their `hosts` entries are equal and each can really open the other's segment (a random token in it
  /// agrees). `allowed` false (JACKAL_TRANSPORT=tcp …): takes part in the exchange, shares nothing. Nothing
  /// has a name in the file system any more when this returns. Throws Error (io) only for what a person must
  /// mend; otherwise ranks that cannot share do not.
  static std::unique_ptr<ShmDomain> meet(int rank, const std::vector<std::string>& hosts, bool allowed,
                                         const ShareBytes& share);
  ~ShmDomain();

  /// Ranks that share memory with this one, itself included, ascending.
  const std::vector<int>& members() const;
  /// Why a rank of the same host is not among members(), for a message; "" when there is none such.
  const std::string& trouble() const;

  /// A stream to a member, for point-to-point messages (`lane` 0) and for groups that span hosts (`lane` 1).
  /// Owned by the domain.
  Channel& channel(int member, int lane);

  /// Every collective operation among exactly the members, when they are the whole group. `in`, `out`, counts
  /// as in the public API; of a broadcast, `out` is the buffer. Each rank numbers its calls alike; a peer
  /// whose `signature` differs is reported by throwing through `mismatch(rank, its signature)`. Counts for
  /// all_gather_v are by rank. Blocking; waits through `watch`. One thread.
  using Mismatch = std::function<void(int rank, const Signature& theirs)>;
  struct Request {
    const Call& call;
    const Signature& signature;
    const void* in = nullptr;
    void* out = nullptr;
    std::span<const std::size_t> counts = {};
    const Mismatch& mismatch;
    Watch& watch;
  };
  void run(const Request& request);

  /// The last run() was a small all-reduce among several members and went well: repeat() does the same on
  /// other data, without working out again how.
  bool repeats() const;
  void repeat(const Request& request);

  /// Memory for jackal::Buffer that other members can map: this rank's own, zeroed, page-aligned; it lives
  /// until the pointer and the domain are gone. Throws Error (io).
  std::shared_ptr<void> allocate(std::size_t bytes);

  /// How `call` would be carried out, in words, with the thresholds measured at start.
  std::string explain(const Call& call) const;

  const Crowding& crowding() const;
  std::size_t memory_bytes() const;  // mapped by this rank for the group, buffers not counted

  /// The same on all members before the next call; for tests, which reach every path by it.
  void set_limits(const shm::Limits& limits);
  const shm::Limits& limits() const;

  class State;
  explicit ShmDomain(std::unique_ptr<State> state);

private:
  std::unique_ptr<State> state_;
};

}  // namespace jackal::collectives
