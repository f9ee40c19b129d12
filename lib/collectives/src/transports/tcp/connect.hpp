// The data connections of a group, made once its control connections stand.
#pragma once

#include <memory>
#include <vector>

#include "control/mesh.hpp"
#include "env/environment.hpp"
#include "transports/channel.hpp"
#include "transports/shm/domain.hpp"

namespace jackal::collectives {

/// The channels to one peer; both empty where no connection was wanted or there is no link.
struct TcpLanes {
  std::vector<std::unique_ptr<Channel>> cables;  // for collectives, in cable order
  std::unique_ptr<Channel> messages;             // for point-to-point
};

/// Collective over all ranks, also those that want nothing. `wanted[r]`: whether this rank and r are to be
/// connected by TCP (the same on both sides). Addresses: with `links` in the host file one connection a
/// cable, from its ip to its peer_ip, and none where there is no cable; else `job`'s ips of both sides
/// (several: one connection each, k-th to k-th); else, and among ranks of one host, where the control
/// connection goes. Every connection proves that it is of this job. Throws Error naming ranks, address and
/// interface, and has then told nobody; who calls announces it, so that the others do not wait.
std::vector<TcpLanes> connect_lanes(Mesh& mesh, const Job& job, const std::vector<bool>& wanted,
                                    const ShareBytes& share, Deadline deadline);

}  // namespace jackal::collectives
