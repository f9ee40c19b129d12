// How the ranks of a group come to be connected for data: shared memory where it is, RDMA or TCP elsewhere;
// and the fabric that results, before anything has been measured.
#pragma once

#include <memory>
#include <vector>

#include "control/mesh.hpp"
#include "env/environment.hpp"
#include "fabric/fabric.hpp"
#include "schedules/executor.hpp"
#include "transports/shm/domain.hpp"
#include "transports/tcp/connect.hpp"
#include "transports/verbs/domain.hpp"

namespace jackal::collectives {

/// What a group's connections may be shared with: the group that it is a part of.
struct Whole {
  const VerbsDomain* verbs = nullptr;  // null: it has none, or there is no such group
  std::vector<int> members;            // the ranks there of the part's ranks
};

struct Links {
  std::unique_ptr<ShmDomain> shm;
  std::unique_ptr<VerbsDomain> verbs;  // null where no RDMA is used
  std::vector<TcpLanes> tcp;           // by rank
  bool one_memory = false;             // all ranks share memory with all
  Fabric fabric;                       // what is linked, with nominal figures: the same on every rank

  /// Borrowed; by rank, null or empty where there is no link.
  Lanes lanes(int rank) const;
  std::vector<Channel*> messages(int rank) const;
};

/// Collective. `settings` must be the same on every rank; throws Error mismatch where they are not,
/// unavailable when JACKAL_TRANSPORT or the backend asks for what some pair does not have. Says in the log
/// what each pair uses.
Links connect_ranks(Mesh& mesh, const Job& job, const Settings& settings, const Whole& whole,
                    Deadline deadline);

/// Collective: the links' fabric with measured figures, the same on every rank.
Fabric measured(const Links& links, Mesh& mesh, Deadline deadline);

/// Of a group of one, which knows the same names of algorithms as others.
Links links_of_one(const Job& job);

/// The part of `fabric` that lies between `ranks`, which become 0, 1, ….
Fabric part_of(const Fabric& fabric, const std::vector<int>& ranks);

/// By rank: the linked rank that leads from `rank` to it; -1 for itself, and where none does.
std::vector<int> next_hops(const Fabric& fabric, int rank);

/// Whether messages between other ranks go by way of `rank`.
bool passes_on(const Fabric& fabric, int rank);

}  // namespace jackal::collectives
