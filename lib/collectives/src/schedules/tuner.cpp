#include "schedules/tuner.hpp"

#include <algorithm>
#include <optional>

#include "schedules/flow.hpp"
#include "schedules/simulator.hpp"

namespace jackal::collectives {
namespace {

// Slices are the longest that there may be, a quarter of that, and so on. Below this, what a transfer costs
// to start weighs more than what is gained.
constexpr std::int64_t kLeastSliceBytes = 32 << 10;

// Beyond these a run only repeats itself: every window of slices takes as long as the one before.
constexpr int kFewSlices = static_cast<int>(kWindow);
constexpr int kManySlices = 2 * kFewSlices;

// Shorter slices have to gain more than one part in so many: there is more to them than the model knows.
constexpr std::int64_t kWorthwhile = 100;

// Steps of slices to go through for one prediction; with more, as in groups of hundreds of ranks, the vector
// goes whole.
constexpr std::size_t kMostWork = 1'000'000;

constexpr std::int64_t kMostBytes = std::int64_t{1} << 42;
constexpr std::int64_t kForever = std::int64_t{1} << 62;  // predictions end here

std::int64_t time_of(const Simulator& simulator, std::int64_t chunk_bytes, std::int64_t slice_bytes) {
  const std::int64_t slices = (chunk_bytes + slice_bytes - 1) / slice_bytes;
  if (simulator.steps() * (kFewSlices + kManySlices) > kMostWork) return simulator.run(chunk_bytes, 1);
  if (slices <= kManySlices) return simulator.run(chunk_bytes, static_cast<int>(slices));
  const std::int64_t each =
      (chunk_bytes + slices - 1) / slices;  // the last one is shorter; here all are, a bit
  const std::int64_t few = simulator.run(each * kFewSlices, kFewSlices);
  const std::int64_t many = simulator.run(each * kManySlices, kManySlices);
  if (many - few > (kForever - many) / slices) return kForever;
  return many + (many - few) * (slices - kManySlices) / (kManySlices - kFewSlices);
}

std::optional<Prediction> best_slice(const std::string& algorithm, const Shape& shape, Topology& topology,
                                     std::int64_t chunk_bytes) {
  const auto simulator = Simulator::of(algorithm, shape, topology);
  if (!simulator) return std::nullopt;
  const std::int64_t longest = std::min(
      chunk_bytes, static_cast<std::int64_t>(most_slice_bytes(static_cast<std::size_t>(shape.ranks))));
  Prediction best{algorithm, longest, time_of(*simulator, chunk_bytes, longest)};
  std::int64_t last = best.time_ns;
  for (std::int64_t slice = longest / 4; slice >= kLeastSliceBytes; slice /= 4) {
    const std::int64_t time = time_of(*simulator, chunk_bytes, slice);
    if (time + time / kWorthwhile < best.time_ns) best = {algorithm, slice, time};
    if (time > last) break;  // shorter ones only cost more
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
