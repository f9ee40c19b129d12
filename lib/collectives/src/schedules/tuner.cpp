#include "schedules/tuner.hpp"

#include <algorithm>
#include <optional>

#include "schedules/simulator.hpp"

namespace jackal::collectives {
namespace {

// Slices of a chunk. Below the last, what a transfer costs to start weighs more than what is gained.
constexpr std::int64_t kSlices[] = {4 << 20, 1 << 20, 256 << 10, 64 << 10};

// Beyond these a run only repeats itself, so its length grows by the same for every slice.
constexpr int kFewSlices = 3;
constexpr int kManySlices = 6;

// Steps and slices to go through for one prediction of several; keeps groups of hundreds of ranks bearable.
constexpr std::size_t kMostWork = 1'000'000;

constexpr std::int64_t kMostBytes = std::int64_t{1} << 42;  // products with nanoseconds stay in 64 bits

std::int64_t time_of(const Simulator& simulator, std::int64_t chunk_bytes, std::int64_t slice_bytes) {
  const std::int64_t slices = (chunk_bytes + slice_bytes - 1) / slice_bytes;
  if (slices <= kManySlices) return simulator.run(chunk_bytes, static_cast<int>(slices));
  const std::int64_t few = simulator.run(slice_bytes * kFewSlices, kFewSlices);
  const std::int64_t many = simulator.run(slice_bytes * kManySlices, kManySlices);
  return many + (many - few) * (slices - kManySlices) / (kManySlices - kFewSlices);
}

std::optional<Prediction> best_slice(const std::string& algorithm, const Shape& shape, Topology& topology,
                                     std::int64_t chunk_bytes) {
  const auto simulator = Simulator::of(algorithm, shape, topology);
  if (!simulator) return std::nullopt;
  Prediction best{algorithm, chunk_bytes, simulator->run(chunk_bytes, 1)};
  std::int64_t last = best.time_ns;
  for (const std::int64_t slice : kSlices) {
    if (simulator->steps() * (kFewSlices + kManySlices) > kMostWork) break;
    if (slice >= chunk_bytes) continue;
    const std::int64_t time = time_of(*simulator, chunk_bytes, slice);
    if (time < best.time_ns) best = {algorithm, slice, time};
    if (time > last) break;  // smaller ones only cost more
    last = time;
  }
  return best;
}

std::int64_t bounded(std::int64_t bytes) { return std::clamp<std::int64_t>(bytes, 1, kMostBytes); }

// Ranks may differ in where their memory is, but not in the choice, so that is made for one case.
Shape general(Shape shape) {
  shape.in_place = false;
  return shape;
}

}  // namespace

std::int64_t predict(std::string_view algorithm, const Shape& shape, const Fabric& fabric,
                     std::int64_t chunk_bytes, std::int64_t slice_bytes) {
  Topology topology(fabric);
  const auto simulator = Simulator::of(algorithm, general(shape), topology);
  return simulator ? time_of(*simulator, bounded(chunk_bytes), bounded(slice_bytes)) : -1;
}

std::vector<Prediction> rank_algorithms(const Shape& shape, const Fabric& fabric, std::int64_t chunk_bytes) {
  Topology topology(fabric);
  std::vector<Prediction> all;
  for (const std::string& name : algorithms_for(shape, topology))
    if (auto prediction = best_slice(name, general(shape), topology, bounded(chunk_bytes)))
      all.push_back(std::move(*prediction));
  std::stable_sort(all.begin(), all.end(),
                   [](const Prediction& a, const Prediction& b) { return a.time_ns < b.time_ns; });
  return all;
}

}  // namespace jackal::collectives
