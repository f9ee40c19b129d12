// How the ranks of a job meet. Rank 0 listens at the coordinator's address:
//
//   rank k                              rank 0
//   hello (where k listens)     ──▶             until all have come; strangers are dropped
//                               ◀──     welcome
//                               ◀──     table (where everybody listens)
//   hello to every other rank below k; welcomes from them
//   ready                       ──▶             until all are
//                               ◀──     go
//
// Nobody returns before everybody is connected, and the first failure ends it for all. These connections are
// for control; those for data are made afterwards (transports/tcp/connect.hpp).
#pragma once

#include "control/mesh.hpp"
#include "env/environment.hpp"
#include "jackal/base/unique_fd.hpp"
#include "transports/watch.hpp"

namespace jackal::collectives {

/// Throws Error. `job.size` is at least 2. `listener`: of rank 0, where it listens at the coordinator's
/// address already. `around`: of the group that this is a part of; what it throws ends the meeting, too.
Mesh meet(const Job& job, std::chrono::milliseconds timeout, const Log& log, UniqueFd listener = {},
          Watch* around = nullptr);

}  // namespace jackal::collectives
