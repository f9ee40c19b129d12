// The RDMA connections of a group: made together, kept alive by a thread of their own, used as channels.
// Groups that are parts of it run over the same connections, in streams of their own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "env/environment.hpp"
#include "transports/channel.hpp"
#include "transports/shm/domain.hpp"

namespace jackal::collectives {

class VerbsDomain {
public:
  /// Collective over all ranks of the group. `wanted[r]`: whether this rank and r are to be connected (the
  /// same on both sides). Throws the same Error on every rank, naming the first rank at fault, its device,
  /// and what to do.
  static std::unique_ptr<VerbsDomain> connect(int rank, int size, const std::vector<std::string>& hosts,
                                              const DeviceMatrix& devices, const std::vector<bool>& wanted,
                                              const VerbsOptions& options, const ShareBytes& share,
                                              Deadline deadline);
  /// Collective over `members`, ranks of the group of `whole` in the order of the part's: a domain of the
  /// part. `rank`, `hosts` and `wanted` are by the part's ranks. It may outlive `whole`. Throws the same
  /// Error on every rank: unavailable when some connection carries as many groups as it can.
  static std::unique_ptr<VerbsDomain> part(const VerbsDomain& whole, const std::vector<int>& members,
                                           int rank, const std::vector<std::string>& hosts,
                                           const std::vector<bool>& wanted, const ShareBytes& share);
  /// Waits up to a second until what was sent has arrived, unless the group was given up.
  ~VerbsDomain();
  void give_up();

  /// The channels to a rank, one a cable, in cable order; empty where there is no connection.
  std::vector<Channel*> cables(int rank) const;
  /// For point-to-point messages, over the first cable; null where there is no connection.
  Channel* messages(int rank) const;

  std::uint64_t repairs() const;
  std::size_t memory_bytes() const;  // registered
  int queue_pairs() const;

private:
  class State;
  class Membership;
  explicit VerbsDomain(std::unique_ptr<Membership> membership);
  std::unique_ptr<Membership> membership_;
};

}  // namespace jackal::collectives
