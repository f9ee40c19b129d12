// Runs the programs of all ranks on a fabric, in time instead of in fact: what it predicts, the tuner
// minimises. Whole nanoseconds and a fixed order of events: every rank computes the same.
//
// The model. A send costs its rank the start of a transfer (Fabric::step_ns) and the copy of its bytes; they
// then travel over all cables of the pair, one transfer at a time each way, at the cables' bandwidth, and
// arrive after the latency; the receiver pays a start as well, and takes the bytes out at the speed of a copy
// or, where it adds them up, of a reduction, from a socket of both. Sending, travelling and receiving overlap
// as they do in a stream of bytes. Short messages wait in the receiver's buffers until they are wanted; long
// ones are not sent before. Slices follow each other as flow.hpp says. A rank does one thing at a time, and a
// host as many as it has cores.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "schedules/algorithms.hpp"

namespace jackal::collectives {

/// A message on the cables of a pair.
struct Travel {
  int from = 0;
  int to = 0;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;  // when the cables are free again
  std::int64_t bytes = 0;
};

class Simulator {
public:
  /// nullopt when the algorithm cannot do this here. The topology outlives the simulator.
  static std::optional<Simulator> of(std::string_view algorithm, const Shape& shape, Topology& topology);

  /// When the last rank is done, with chunks of that many bytes cut into `slices`. Appends to `travels`.
  std::int64_t run(std::int64_t chunk_bytes, int slices, std::vector<Travel>* travels = nullptr) const;

  /// Steps of all ranks together: the work of a run for each slice.
  std::size_t steps() const { return kinds_.size(); }
  /// Chunks that the busiest rank adds to others, times a thousand.
  std::int64_t most_sums() const;

private:
  class Run;

  explicit Simulator(const Fabric& fabric) : fabric_(&fabric) {}
  void add(int rank, const Program& program);
  void connect();
  int line_between(int from, int to);

  // What one rank sends to one other: the k-th of its sends meets the k-th of its receives.
  struct Line {
    int from = 0;
    int to = 0;
    int messages = 0;
    int first = 0;  // into sends_ and receives_
  };

  const Fabric* fabric_;  // the topology's
  int parts_ = 1;
  std::vector<Line> lines_;
  std::vector<int> line_of_;   // [from * ranks + to]; -1: none
  std::vector<int> sends_;     // steps, line after line
  std::vector<int> receives_;  // likewise
  // Of each step, those of rank 0 first.
  std::vector<Step::Kind> kinds_;
  std::vector<int> ranks_;
  std::vector<int> blocks_;
  std::vector<int> step_lines_;
  std::vector<int> waits_for_;       // how many steps
  std::vector<int> first_follower_;  // into followers_; one more at the end
  std::vector<int> followers_;
  std::vector<int> first_step_;  // of each rank; one more at the end
};

}  // namespace jackal::collectives
