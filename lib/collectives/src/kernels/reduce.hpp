// Combining elements: the only code that looks into them. Chosen at run time for the processor.
// No state; any thread.
#pragma once

#include <cstddef>
#include <string>

#include "error.hpp"

namespace jackal::collectives {

/// Bytes of one element; 0 when `dtype` is no type.
std::size_t dtype_size(Dtype dtype);
const char* dtype_name(Dtype dtype);  // "float32"
const char* op_name(Op op);           // "sum"

/// "" when `op` may be used on `dtype` (the table of contracts: Op's documentation), else why not.
std::string op_objection(Op op, Dtype dtype);

/// out[i] = a[i] op b[i] for `count` elements, in that operand order, any alignment. `out` may be exactly `a`
/// or exactly `b`; other overlaps are not allowed. `average` adds here, and divides at the end with
/// average().
using ReduceFunction = void (*)(const void* a, const void* b, void* out, std::size_t count);

/// out[i] = ((s[0][i] op s[1][i]) op s[2][i]) … in one pass over memory; `out` may be exactly one of the
/// sources. 1 <= sources <= 64 (1 copies). Each pair rounds as ReduceFunction does: same bits as the chain of
/// those.
using ReduceManyFunction = void (*)(const void* const* sources, std::size_t sources_count, void* out,
                                    std::size_t count);

struct Kernel {
  ReduceFunction pair = nullptr;
  ReduceManyFunction many = nullptr;
};

/// The kernels of a pair that op_objection() accepts. Looked up once per call, not per block. A call whose
/// results of `result_bytes` in all will not stay in a cache, and which cuts them into blocks, says so here:
/// then blocks, too, are written around the cache. The bits are the same.
Kernel kernel_of(Op op, Dtype dtype, std::size_t result_bytes = 0);

/// data[i] = data[i] / ranks, for floating point and complex64.
void divide(Dtype dtype, void* data, std::size_t count, int ranks);

/// memcpy that does not evict the cache for sizes that will not stay in it anyway; `total_bytes` says, as
/// above, of how much this is a block.
void copy(void* to, const void* from, std::size_t bytes, std::size_t total_bytes = 0);

/// Which instruction set was chosen: "AVX3_ZEN4", "NEON", …; for messages and benchmarks.
std::string kernel_target();

}  // namespace jackal::collectives
