// Runs the programs of all ranks on symbols instead of numbers, in any order that their dependencies allow,
// and says which of the invariants of schedules/schedule.hpp does not hold.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "schedules/algorithms.hpp"

namespace checker {

/// How a run goes about what is left open. All from the seed: the order of steps, and which links take a
/// message before it is received.
enum class Links { wait_for_receiver, mixed };

/// Which ranks' programs are made for memory that input and output may share, and which really share it.
enum class Places { apart, may_be_same, same, differ };

struct Run {
  Links links = Links::wait_for_receiver;
  Places places = Places::apart;
  std::uint32_t seed = 1;
};

/// "" when all is well, else what is wrong, in which rank's which step.
std::string problem_of(std::string_view algorithm, const jackal::collectives::Shape& shape,
                       jackal::collectives::Topology& topology, const Run& run);

/// "" when each pair of steps that collide is ordered by dependencies(); else one that is not.
std::string unordered_steps(const jackal::collectives::Program& program);

}  // namespace checker
