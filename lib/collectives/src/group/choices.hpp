// Which algorithm carries out a call, remembered. The same on every rank: it depends on nothing but the
// fabric, the call and what was asked for. One thread at a time.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "schedules/schedule.hpp"
#include "schedules/tuner.hpp"

namespace jackal::collectives {

/// Straight through memory that all ranks share, without a program.
inline constexpr std::string_view kMemoryAlgorithm = "shm";

struct Choice {
  std::string algorithm;
  std::int64_t slice_bytes = 0;
  Program program;
};

class Choices {
public:
  /// `preferred`: JACKAL_ALGORITHM, "" for none: used wherever it can be. `one_memory`: kMemoryAlgorithm is
  /// among the names that a message lists.
  Choices(Fabric fabric, int rank, std::string preferred, bool one_memory);

  const Fabric& fabric() const { return fabric_; }

  /// Throws Error invalid_argument when `algorithm` (not "") cannot do it; `text` names the call. Valid until
  /// the next call.
  const Choice& of(const Shape& shape, std::int64_t chunk_bytes, std::string_view algorithm,
                   const std::string& text);

  /// Every name that some operation knows on this fabric.
  static std::vector<std::string> names(const Fabric& fabric);

  std::size_t memory_bytes() const;

private:
  using Key = std::tuple<Operation, int, bool, int, std::string>;  // root, in place, size class, algorithm
  Choice make(const Shape& shape, std::int64_t chunk_bytes, std::string_view algorithm,
              const std::string& text) const;

  Fabric fabric_;
  int rank_;
  std::string preferred_;
  bool one_memory_;
  std::map<Key, Choice> made_;
};

}  // namespace jackal::collectives
