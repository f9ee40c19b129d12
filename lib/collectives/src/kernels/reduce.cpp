#include "kernels/reduce.hpp"

#include "kernels/families.hpp"
#include "kernels/stream.hpp"

namespace jackal::collectives {
namespace {

Kernels vector_kernels(Op op, Dtype dtype) {
  switch (dtype) {
    case Dtype::float16:
    case Dtype::bfloat16:
      return vector_half_kernel(op, dtype);
    case Dtype::float32:
    case Dtype::float64:
    case Dtype::complex64:
      return vector_floating_kernel(op, dtype);
    default:
      return vector_integer_kernel(op, dtype);
  }
}

DivideFunction vector_divide(Dtype dtype) {
  return dtype == Dtype::float16 || dtype == Dtype::bfloat16 ? vector_half_divide(dtype)
                                                             : vector_floating_divide(dtype);
}

}  // namespace

Kernel kernel_of(Op op, Dtype dtype, std::size_t result_bytes) {
  const Kernels kernels = vector_kernels(op, dtype);
  if (kernels.cached.pair == nullptr) return portable_kernel(op, dtype);
  return result_bytes < kStreamBytes ? kernels.cached : kernels.streaming;
}

void divide(Dtype dtype, void* data, std::size_t count, int ranks) {
  const DivideFunction vectors = vector_divide(dtype);
  const DivideFunction function = vectors != nullptr ? vectors : portable_divide(dtype);
  if (function != nullptr) function(data, count, ranks);
}

}  // namespace jackal::collectives
