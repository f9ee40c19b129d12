// JACCL's group, as programs written for it know it, carried out by libjackal. Errors are thrown as
// jackal::Error, which is a std::runtime_error.
#pragma once

// More than is needed here: JACCL's programs take these for granted.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace jaccl {

/// Element types; the functions below take them as int.
enum Dtype {
  Bool = 0,
  Int8,
  Int16,
  Int32,
  Int64,
  UInt8,
  UInt16,
  UInt32,
  UInt64,
  Float16,
  BFloat16,
  Float32,
  Float64,
  Complex64,
};

/// Hands `n_bytes` of every rank to every rank: `dst` has room for those of all, in rank order.
using AllGatherFn = std::function<void(const char* src, char* dst, size_t n_bytes)>;

/// The ranks of a job. All ranks make the same calls in the same order. Sizes are bytes; `input` and `output`
/// may be the same memory. One thread at a time.
class Group {
public:
  virtual ~Group() = default;

  virtual int rank() = 0;
  virtual int size() = 0;

  /// Element by element over all ranks. Complex numbers are ordered by real, then by imaginary part.
  virtual void all_sum(const void* input, void* output, size_t n_bytes, int dtype) = 0;
  virtual void all_max(const void* input, void* output, size_t n_bytes, int dtype) = 0;
  virtual void all_min(const void* input, void* output, size_t n_bytes, int dtype) = 0;

  /// `output` holds size() * n_bytes.
  virtual void all_gather(const void* input, void* output, size_t n_bytes) = 0;

  /// `input` holds size() chunks of n_bytes, `output` the sum over all ranks of chunk rank().
  virtual void sum_scatter(const void* input, void* output, size_t n_bytes, int dtype) = 0;

  virtual void send(const void* input, size_t n_bytes, int dst) = 0;
  virtual void recv(void* output, size_t n_bytes, int src) = 0;

  /// Returns once every rank has called it.
  virtual void barrier() = 0;
};

}  // namespace jaccl
