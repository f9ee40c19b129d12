// What MLX finds in its environment, backend by backend, as mlx.launch would have put it there. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/remote/command.hpp"
#include "launch/job.hpp"
#include "launch/reach.hpp"

namespace jackal::launch {

struct BackendEnvironment {
  remote::Environment variables;  // the same for every rank
  std::vector<remote::File> files;
  std::set<std::uint16_t> ports_of_rank_0;  // on its host; the coordinator must take another
};

/// For every backend but mpi. Announces a port that moved in `notes`.
Result<BackendEnvironment> backend_environment(const Options& options, const Layout& layout,
                                               const std::vector<NodeFacts>& facts, const Reach& reach,
                                               std::vector<std::string>& notes);

/// Which variables of the user stay and what launch adds. `ours` wins over the user's, and `notes` says where
/// it did. Every name stands once.
remote::Environment merged_environment(const Options& options, const remote::Environment& users,
                                       const remote::Environment& ours, std::vector<std::string>& notes);

}  // namespace jackal::launch
