// The mpi backend: the job is one process on this machine, mpirun, which reaches the hosts by itself. Pure.
#pragma once

#include "launch/job.hpp"

namespace jackal::launch {

Result<Job> plan_mpi_job(const Options& options, const Layout& layout, const std::vector<NodeFacts>& facts,
                         const JobIdentity& identity);

}  // namespace jackal::launch
