// What is measured: the ranks of a job and a library that carries their operations out. jackal-bench measures
// our own; the programs of scripts/bench-peers measure other people's with the very same method.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "bench/options.hpp"

namespace jackal::bench {

/// Every function but rank(), size() and memory() is called by all ranks together.
class Contender {
public:
  virtual ~Contender() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Memory for buffers, page-aligned, every page of it touched. Throws std::bad_alloc.
  virtual std::shared_ptr<std::byte> memory(std::size_t bytes);

  /// One call of the operation; where its result lies, which is `out` unless the library keeps its own.
  virtual const std::byte* call(const Extent& extent, std::byte* in, std::byte* out) = 0;

  virtual void barrier() = 0;
  /// Each value becomes the largest of all ranks'.
  virtual void largest(double* values, std::size_t count) = 0;
  virtual std::uint64_t total(std::uint64_t value) = 0;

  /// How the algorithm is chosen for calls of this size; only rank 0 is asked.
  virtual std::string explain(const Extent& extent) const = 0;
};

}  // namespace jackal::bench
