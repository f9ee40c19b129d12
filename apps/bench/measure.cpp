#include "bench/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <vector>

#include "bench/contents.hpp"

namespace jackal::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kFewestIterations = 10, kMostIterations = 100'000;
// Of the time of a size, what goes into finding out how many calls fill it; these calls warm up, too.
constexpr double kTrialShare = 0.1;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

std::vector<Extent> extents_of(const Options& options, int ranks) {
  if (options.operation == Operation::barrier) return {Extent{}};
  std::vector<Extent> extents;
  for (const std::uint64_t bytes : sizes_of(options)) {
    const Extent now = extent(options.operation, bytes, bytes_of(options.dtype), ranks);
    if (extents.empty() || extents.back() != now) extents.push_back(now);
  }
  return extents;
}

class Run {
public:
  Run(Contender& contender, const Options& options)
      : contender_(contender), options_(options), extents_(extents_of(options, contender.size())) {}

  bool measure(const Listener& listener) {
    std::uint64_t in = 0, out = 0;
    for (const Extent& extent : extents_) {
      in = std::max(in, extent.in);
      out = std::max(out, extent.out);
    }
    const std::size_t size = bytes_of(options_.dtype);
    const auto output = contender_.memory(std::max(out, options_.in_place ? in : 0) * size);
    const auto input = contender_.memory(options_.in_place ? 0 : in * size);
    bool right = true;
    for (const Extent& extent : extents_) {
      const Row row = measure_one(extent, input.get(), output.get());
      right = right && row.wrong.value_or(0) == 0;
      if (contender_.rank() == 0) listener.row(row);
    }
    if (options_.explain && contender_.rank() == 0) {
      for (const Extent& extent : extents_) listener.explanation(contender_.explain(extent));
    }
    return right;
  }

private:
  Row measure_one(const Extent& extent, std::byte* in, std::byte* out) {
    const Contents contents(options_, extent, contender_.size(), contender_.rank(), in, out);
    contents.write_input();
    contents.spoil_output();
    contender_.barrier();
    warm_up(extent, contents, options_.warmup);
    const int iterations = options_.iterations ? *options_.iterations : enough_iterations(extent, contents);
    std::vector<double> times = timed_calls(extent, contents, static_cast<std::size_t>(iterations));
    std::optional<std::uint64_t> wrong;
    if (options_.check) wrong = check(extent, contents);
    // An iteration takes as long as its slowest rank.
    contender_.largest(times.data(), times.size());
    return row(extent, std::move(times), wrong);
  }

  void call(const Extent& extent, const Contents& contents) {
    result_ = contender_.call(extent, contents.in(), contents.out());
  }

  void warm_up(const Extent& extent, const Contents& contents, int calls) {
    for (int i = 0; i < calls; ++i) {
      prelude(contents);
      call(extent, contents);
    }
  }

  /// Whether something that is not timed comes before every call.
  bool has_prelude() const { return options_.rewrite || may_run_ahead(options_.operation); }

  void prelude(const Contents& contents) {
    if (!has_prelude()) return;
    if (options_.rewrite) contents.write_input();
    contender_.barrier();
  }

  /// Calls that follow each other at once share a reading of the clock, which costs a good part of the
  /// shortest call.
  std::vector<double> timed_calls(const Extent& extent, const Contents& contents, std::size_t count) {
    std::vector<double> times(count);
    auto start = Clock::now();
    for (double& time : times) {
      if (has_prelude()) {
        prelude(contents);
        start = Clock::now();
      }
      call(extent, contents);
      const auto end = Clock::now();
      time = std::chrono::duration<double, std::micro>(end - start).count();
      start = end;
    }
    return times;
  }

  /// The same on every rank: decided on the slowest one's times.
  int enough_iterations(const Extent& extent, const Contents& contents) {
    const double wanted = options_.seconds * 1e6;
    for (int calls = 1;; calls *= 2) {
      const auto start = Clock::now();
      warm_up(extent, contents, calls);
      double elapsed = microseconds_since(start);
      contender_.largest(&elapsed, 1);
      if (elapsed >= kTrialShare * wanted || calls >= kMostIterations) {
        return iterations_for(wanted, elapsed / calls, kFewestIterations, kMostIterations);
      }
    }
  }

  /// Of all ranks: what the last timed call left, where its input is still there, and what one more gives.
  std::uint64_t check(const Extent& extent, const Contents& contents) {
    std::uint64_t wrong = options_.in_place ? 0 : contents.wrong(result_);
    contender_.barrier();  // nobody's input changes while others still read it
    contents.write_input();
    contents.spoil_output();
    contender_.barrier();
    wrong += contents.wrong(contender_.call(extent, contents.in(), contents.out()));
    return contender_.total(wrong);
  }

  Row row(const Extent& extent, std::vector<double> times, std::optional<std::uint64_t> wrong) const {
    Row row;
    row.op = name_of(options_.operation);
    row.dtype = name_of(options_.dtype);
    row.ranks = contender_.size();
    row.transport = options_.transport.value_or("auto");
    row.bytes = extent.bytes;
    row.count = extent.count;
    row.algorithm = options_.algorithm.empty() ? "auto" : options_.algorithm;
    row.iterations = static_cast<int>(times.size());
    row.time = spread(std::move(times));
    row.algbw = algorithm_bandwidth(extent.bytes, row.time.median_us);
    row.busbw = row.algbw * bus_factor(options_.operation, contender_.size());
    row.wrong = wrong;
    return row;
  }

  Contender& contender_;
  const Options& options_;
  const std::vector<Extent> extents_;
  const std::byte* result_ = nullptr;  // of the last timed call
};

}  // namespace

std::shared_ptr<std::byte> Contender::memory(std::size_t bytes) {
  constexpr std::size_t kPage = 16384;  // of Apple's machines; a multiple of everybody else's
  const std::size_t whole_pages = (bytes / kPage + 1) * kPage;
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kPage, whole_pages));
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, whole_pages);
  return {memory, [](std::byte* taken) { std::free(taken); }};
}

bool measure(Contender& contender, const Options& options, const Listener& listener) {
  return Run(contender, options).measure(listener);
}

}  // namespace jackal::bench
