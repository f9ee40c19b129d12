// Where kernel_of() and divide() find their code. The vector functions answer for the instruction set that
// Highway chose at run time; null where they have nothing for it, and then portable_… is to be taken.
// All of them give the same bits. NaN of sums and products: a's if a is one, else b's, made quiet; of min and
// max: an operand as it is, of two NaN the same one in either order.
#pragma once

#include "kernels/reduce.hpp"

namespace jackal::collectives {

using DivideFunction = void (*)(void* data, std::size_t count, int ranks);

struct Kernels {
  Kernel cached;     // results of kStreamBytes in one call go around the cache
  Kernel streaming;  // of kStreamBlock, too
};

Kernels vector_integer_kernel(Op op, Dtype dtype);   // bool and integers
Kernels vector_floating_kernel(Op op, Dtype dtype);  // float32, float64, complex64
Kernels vector_half_kernel(Op op, Dtype dtype);      // float16, bfloat16
DivideFunction vector_floating_divide(Dtype dtype);
DivideFunction vector_half_divide(Dtype dtype);

Kernel portable_kernel(Op op, Dtype dtype);
DivideFunction portable_divide(Dtype dtype);

}  // namespace jackal::collectives
