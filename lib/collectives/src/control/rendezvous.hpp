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

namespace jackal::collectives {

/// Throws Error. `job.size` is at least 2.
Mesh meet(const Job& job, std::chrono::milliseconds timeout, const Log& log);

}  // namespace jackal::collectives
