#include "bench/simulate.hpp"

#include <algorithm>
#include <optional>

#include "bench/failure.hpp"
#include "fabric/fabric.hpp"
#include "schedules/tuner.hpp"

namespace jackal::bench {
namespace {

collectives::Operation library_operation(Operation operation) {
  switch (operation) {
    case Operation::all_reduce:
      return collectives::Operation::all_reduce;
    case Operation::reduce_scatter:
      return collectives::Operation::reduce_scatter;
    case Operation::all_gather:
      return collectives::Operation::all_gather;
    case Operation::broadcast:
      return collectives::Operation::broadcast;
    case Operation::reduce:
      return collectives::Operation::reduce;
    case Operation::gather:
      return collectives::Operation::gather;
    case Operation::scatter:
      return collectives::Operation::scatter;
    case Operation::all_to_all:
      return collectives::Operation::all_to_all;
    case Operation::barrier:
    case Operation::sendrecv:
      break;
  }
  return collectives::Operation::barrier;
}

Row predicted(const Options& options, int ranks, const Extent& extent,
              const collectives::Prediction& prediction) {
  Row row;
  row.op = name_of(options.operation);
  row.dtype = name_of(options.dtype);
  row.ranks = ranks;
  row.transport = "simulated";
  row.bytes = extent.bytes;
  row.count = extent.count;
  row.algorithm = prediction.algorithm;
  const double microseconds = static_cast<double>(prediction.time_ns) / 1000;
  row.time = {microseconds, microseconds, microseconds};
  row.algbw = algorithm_bandwidth(extent.bytes, microseconds);
  row.busbw = row.algbw * bus_factor(options.operation, ranks);
  return row;
}

}  // namespace

Simulation simulate(const Options& options, std::string_view json, const std::string& where) {
  const auto read = collectives::parse_fabric(json);
  if (!read.fabric) throw Failure(Reason::bad_input, where + ": " + read.problem);
  const collectives::Fabric& fabric = *read.fabric;
  if (has_root(options.operation) && options.root >= fabric.ranks) {
    throw Failure(Reason::usage, "--root: there is no rank " + std::to_string(options.root) + " among the " +
                                     std::to_string(fabric.ranks) + " of " + where);
  }
  const collectives::Shape shape{library_operation(options.operation), fabric.ranks,
                                 has_root(options.operation) ? options.root : -1};
  const auto names = collectives::algorithms_for(shape, fabric);
  if (!options.algorithm.empty() && std::find(names.begin(), names.end(), options.algorithm) == names.end()) {
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    throw Failure(Reason::usage,
                  "--algorithm: '" + options.algorithm + "' cannot do this here; those that can: " + known);
  }
  Simulation simulation{fabric.ranks, {}, {}};
  const std::size_t size = bytes_of(options.dtype);
  std::optional<Extent> last;
  for (const std::uint64_t bytes : sizes_of(options)) {
    const Extent now = extent(options.operation, bytes, size, fabric.ranks);
    if (last == now) continue;
    last = now;
    const auto chunk = static_cast<std::int64_t>(now.count * size);
    for (const auto& prediction : collectives::rank_algorithms(shape, fabric, chunk)) {
      if (!options.algorithm.empty() && prediction.algorithm != options.algorithm) continue;
      simulation.rows.push_back(predicted(options, fabric.ranks, now, prediction));
    }
    if (options.explain) simulation.explanations += collectives::explain(shape, fabric, chunk) + "\n";
  }
  return simulation;
}

}  // namespace jackal::bench
