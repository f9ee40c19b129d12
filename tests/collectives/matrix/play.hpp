// One case on a group: makes the buffers, calls, and says what is wrong with what came out.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectives/matrix/case.hpp"

namespace matrix {

/// Memory for `size` bytes, `offset` past an aligned address, with a guard on both sides.
class Area {
public:
  Area(jackal::Group& group, bool buffer, std::size_t size, std::size_t offset);
  std::byte* data() { return start_; }
  std::span<std::byte> bytes() { return {start_, size_}; }
  std::span<const std::byte> bytes() const { return {start_, size_}; }
  bool guards_hold() const;

private:
  std::optional<jackal::Buffer> buffer_;
  Bytes ordinary_;
  std::byte* start_ = nullptr;
  std::size_t size_ = 0;
};

struct Verdict {
  std::uint64_t digest = 0;  // of what came out
  std::string problem;       // empty: none
};

class Play {
public:
  /// `algorithm`: the name to ask for, or "". The group outlives this.
  Play(jackal::Group& group, const Case& one, std::string algorithm);

  /// Before start(): for the call's timeout.
  void limit(std::chrono::milliseconds timeout) { options_.timeout = timeout; }
  /// Calls; with Case::async returns before the operation is done.
  void start();
  void wait();
  bool test();
  /// Once it is done.
  Verdict judge() const;

private:
  void start_blocking();
  void start_async();
  bool is_root() const { return group_.rank() == root_; }
  bool has_result() const;
  std::size_t in_elements() const;
  std::size_t out_elements() const;
  std::size_t place_of_in() const;
  Bytes contributed(int rank, std::size_t first, std::size_t count) const;
  std::string reduction_problem() const;
  Bytes expected_moves() const;

  jackal::Group& group_;
  Case case_;
  jackal::CallOptions options_;
  int ranks_;
  int root_;
  int to_;
  int from_;
  std::vector<std::size_t> counts_;  // of all_gather_v
  std::optional<Area> own_in_;
  std::optional<Area> own_out_;
  void* in_ = nullptr;
  void* out_ = nullptr;
  std::vector<jackal::Handle> handles_;
};

/// Runs it from start to end, small ones twice: the same call must give the same bits.
Verdict played(jackal::Group& group, const Case& one, const std::string& algorithm);

/// The names that the library accepts for this operation on this group, as it says itself.
std::vector<std::string> algorithms(jackal::Group& group, Operation operation);

/// The one that a case means: its k-th, or "".
std::string algorithm_of(const Case& one, const std::vector<std::string>& names);

}  // namespace matrix
