// Which algorithm, from predicted times: pure, and the same on every rank.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "schedules/schedule.hpp"

namespace jackal::collectives {

struct Prediction {
  std::string algorithm;
  std::int64_t slice_bytes = 0;  // the vector is cut into slices of this many bytes per chunk, pipelined
  std::int64_t time_ns = 0;
  std::int64_t most_sums = 0;  // thousandths of chunks that the busiest rank adds up
};

/// The time of the slowest rank, by running the programs of all ranks on the fabric: links carry one transfer
/// at a time per cable, hosts have as many cores as they have. `chunk_bytes`: count * element size.
std::int64_t predict(std::string_view algorithm, const Shape& shape, const Fabric& fabric,
                     std::int64_t chunk_bytes, std::int64_t slice_bytes);

/// All candidates, each with its best slice: first the one to take, then the others, fastest first (ties: in
/// the order of algorithms_for()). Of those that take about as long as the fastest, the one is taken whose
/// busiest rank has the fewest sums.
std::vector<Prediction> rank_algorithms(const Shape& shape, const Fabric& fabric, std::int64_t chunk_bytes);

/// For people: the candidates, their predicted times, and why the first is taken.
std::string explain(const Shape& shape, const Fabric& fabric, std::int64_t chunk_bytes);

}  // namespace jackal::collectives
