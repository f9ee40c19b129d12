#include "bench/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <new>
#include <optional>

#include "bench/calls.hpp"
#include "bench/failure.hpp"
#include "bench/memory.hpp"
#include "bench/pinning.hpp"
#include "bench/sizes.hpp"
#include "jackal/collectives.h"

namespace jackal::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kFewestIterations = 10, kMostIterations = 100'000;
// Of the time of a size, what goes into finding out how many calls fill it; these calls warm up, too.
constexpr double kTrialShare = 0.1;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

Reason reason_for(Code code) {
  switch (code) {
    case Code::invalid_argument:
      return Reason::usage;
    case Code::mismatch:
    case Code::internal:
      return Reason::internal;
    default:
      return Reason::no_group;
  }
}

Group meet(const Options& options) {
  InitOptions init;
  if (options.transport) {
    init.variable = [&options](const std::string& name) -> std::optional<std::string> {
      if (name == "JACKAL_TRANSPORT") return options.transport;
      const char* value = std::getenv(name.c_str());
      return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
  }
  try {
    return jackal::init(init);
  } catch (const Error& error) {
    throw Failure(Reason::no_group, error.what());
  }
}

/// This rank among those of its host, where the starter said so.
int local_rank(const Group& group) {
  const char* text = std::getenv("JACKAL_LOCAL_RANK");
  if (text == nullptr) return group.rank();
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  return end != text && *end == '\0' && number >= 0 && number < 4096 ? static_cast<int>(number)
                                                                     : group.rank();
}

class Run {
public:
  Run(Group& group, const Options& options) : group_(group), options_(options) { choose_extents(); }

  bool measure(const Listener& listener) {
    std::uint64_t in = 0, out = 0;
    for (const Extent& extent : extents_) {
      in = std::max(in, extent.in);
      out = std::max(out, extent.out);
    }
    const std::size_t size = bytes_of(options_.dtype);
    const Memory output(group_, options_.buffers, std::max(out, options_.in_place ? in : 0) * size);
    const Memory input(group_, options_.buffers, options_.in_place ? 0 : in * size);
    bool right = true;
    for (const Extent& extent : extents_) {
      const Row row = measure_one(extent, input.data(), output.data());
      right = right && row.wrong.value_or(0) == 0;
      if (group_.rank() == 0) listener.row(row);
    }
    if (options_.explain && group_.rank() == 0) explain(listener);
    return right;
  }

private:
  void choose_extents() {
    if (options_.operation == Operation::barrier) {
      extents_ = {Extent{}};
      return;
    }
    for (const std::uint64_t bytes : size_series(options_.min_bytes, options_.max_bytes, options_.factor)) {
      const Extent now = extent(options_.operation, bytes, bytes_of(options_.dtype), group_.size());
      if (extents_.empty() || extents_.back() != now) extents_.push_back(now);
    }
  }

  Row measure_one(const Extent& extent, std::byte* in, std::byte* out) {
    const Case one(group_, options_, extent, in, out);
    one.write_input();
    one.spoil_output();
    group_.barrier();
    for (int i = 0; i < options_.warmup; ++i) timed_call(one);
    const int iterations = options_.iterations ? *options_.iterations : enough_iterations(one);
    std::vector<double> times(static_cast<std::size_t>(iterations));
    for (double& time : times) time = timed_call(one);
    std::optional<std::uint64_t> wrong;
    if (options_.check) wrong = check(one);
    // An iteration takes as long as its slowest rank.
    group_.all_reduce(times.data(), times.data(), times.size(), Dtype::float64, Op::max);
    return row(extent, std::move(times), wrong);
  }

  double timed_call(const Case& one) {
    if (options_.rewrite) one.write_input();
    if (options_.rewrite || may_run_ahead(options_.operation)) group_.barrier();
    const auto start = Clock::now();
    one.call();
    return microseconds_since(start);
  }

  /// The same on every rank: decided on the slowest one's times.
  int enough_iterations(const Case& one) {
    const double wanted = options_.seconds * 1e6;
    for (int calls = 1;; calls *= 2) {
      const auto start = Clock::now();
      for (int i = 0; i < calls; ++i) timed_call(one);
      double elapsed = microseconds_since(start);
      group_.all_reduce(&elapsed, &elapsed, 1, Dtype::float64, Op::max);
      if (elapsed >= kTrialShare * wanted || calls >= kMostIterations) {
        return iterations_for(wanted, elapsed / calls, kFewestIterations, kMostIterations);
      }
    }
  }

  /// Of all ranks: what the last timed call left, where its input is still there, and what one more gives.
  std::uint64_t check(const Case& one) {
    std::uint64_t wrong = options_.in_place ? 0 : one.wrong();
    one.write_input();
    one.spoil_output();
    group_.barrier();
    one.call();
    wrong += one.wrong();
    std::uint64_t everywhere = 0;
    group_.all_reduce(&wrong, &everywhere, 1, Dtype::uint64, Op::sum);
    return everywhere;
  }

  Row row(const Extent& extent, std::vector<double> times, std::optional<std::uint64_t> wrong) const {
    Row row;
    row.op = name_of(options_.operation);
    row.dtype = name_of(options_.dtype);
    row.ranks = group_.size();
    row.transport = options_.transport.value_or("auto");
    row.bytes = extent.bytes;
    row.count = extent.count;
    row.algorithm = options_.algorithm.empty() ? "auto" : options_.algorithm;
    row.iterations = static_cast<int>(times.size());
    row.time = spread(std::move(times));
    row.algbw = algorithm_bandwidth(extent.bytes, row.time.median_us);
    row.busbw = row.algbw * bus_factor(options_.operation, group_.size());
    row.wrong = wrong;
    return row;
  }

  void explain(const Listener& listener) const {
    for (const Extent& extent : extents_) {
      listener.explanation(
          group_.explain(name_of(options_.operation).c_str(), extent.count * bytes_of(options_.dtype)));
    }
  }

  Group& group_;
  const Options& options_;
  std::vector<Extent> extents_;
};

}  // namespace

bool measure(const Options& options, const Listener& listener) {
  Group group = meet(options);
  if (has_root(options.operation) && options.root >= group.size()) {
    throw Failure(Reason::usage, "--root: there is no rank " + std::to_string(options.root) +
                                     " in a group of " + std::to_string(group.size()));
  }
  if (options.pin) {
    if (const std::string problem = pin_to_core(local_rank(group)); !problem.empty()) {
      throw Failure(Reason::usage, "--pin: " + problem);
    }
  }
  if (group.rank() == 0) listener.begins(group.size());
  try {
    return Run(group, options).measure(listener);
  } catch (const Error& error) {
    throw Failure(reason_for(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    throw Failure(Reason::usage,
                  "--max-bytes: this machine has no memory for buffers of " + size_text(options.max_bytes));
  }
}

}  // namespace jackal::bench
