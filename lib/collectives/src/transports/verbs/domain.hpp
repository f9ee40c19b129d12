// The RDMA connections of a group: made together, kept alive by a thread of their own, used as channels.
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
  explicit VerbsDomain(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace jackal::collectives
