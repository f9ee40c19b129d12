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

// Longer ones leave a core's second-level cache between a socket's copies and the sums, of which the model
// knows nothing: on one machine all-reduces of 4 and 32 MiB took 1.3 to 1.7 times as long with slices of 1
// MiB as with these (2 and 4 ranks over TCP, AMD EPYC with 1 MiB a core).
constexpr std::int64_t kCachedSliceBytes = 256 << 10;

// Beyond these a run only repeats itself: every window of slices takes as long as the one before.
constexpr int kFewSlices = static_cast<int>(kWindow);
constexpr int kManySlices = 2 * kFewSlices;

// Shorter slices have to gain more than one part in so many: there is more to them than the model knows.
constexpr std::int64_t kWorthwhile = 100;

// Of what the model finds alike to one part in so many, fewer sums win: of long vectors they cost more than
// it knows, as they come from memory. On one machine an all-reduce of 32 MiB between two took a fifth longer
// as "direct" than as "mesh", of which each rank adds half as much, where the model has them within 3 %.
constexpr std::int64_t kAlike = 20;

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

bool uses_sockets(const Fabric& fabric) {
  return std::any_of(fabric.paths.begin(), fabric.paths.end(),
                     [](const Path& path) { return path.linked() && path.transport == "tcp"; });
}

std::optional<Prediction> best_slice(const std::string& algorithm, const Shape& shape, Topology& topology,
                                     std::int64_t chunk_bytes) {
  const auto simulator = Simulator::of(algorithm, shape, topology);
  if (!simulator) return std::nullopt;
  const std::int64_t longest = std::min(
      chunk_bytes, static_cast<std::int64_t>(most_slice_bytes(static_cast<std::size_t>(shape.ranks))));
  Prediction best{algorithm, longest, time_of(*simulator, chunk_bytes, longest), simulator->most_sums()};
  const bool leaves_cache = longest > kCachedSliceBytes && uses_sockets(topology.fabric());
  std::int64_t last = leaves_cache ? best.time_ns + best.time_ns / 2 : best.time_ns;
  std::int64_t least = last;  // what is to be beaten
  for (std::int64_t slice = leaves_cache ? kCachedSliceBytes : longest / 4; slice >= kLeastSliceBytes;
       slice /= 4) {
    const std::int64_t time = time_of(*simulator, chunk_bytes, slice);
    if (time + time / kWorthwhile < least) {
      best.slice_bytes = slice;
      best.time_ns = least = time;
    }
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
  if (all.empty()) return all;
  const std::int64_t fastest = all.front().time_ns;
  const auto others = std::find_if(all.begin(), all.end(), [&](const Prediction& one) {
    return one.time_ns > fastest + fastest / kAlike;
  });
  const auto taken = std::min_element(all.begin(), others, [](const Prediction& a, const Prediction& b) {
    return a.most_sums < b.most_sums;
  });
  std::rotate(all.begin(), taken, taken + 1);
  return all;
}

}  // namespace jackal::collectives
