// float32, float64 and complex64 in vectors.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/floats.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vectors-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace jackal::collectives::HWY_NAMESPACE {
#if JACKAL_KERNELS_VECTORS

template <class T, class Operation>
struct Floating : Plain<T> {
  template <class V>
  static HWY_INLINE V combine(V a, V b) {
    return Operation::of(a, b);
  }
};

template <class T>
struct Dividing : Plain<T> {
  template <class V>
  static HWY_INLINE V divide(V value, int ranks) {
    return hn::Div(value, hn::Set(typename Plain<T>::D(), static_cast<T>(ranks)));
  }
};

// Real parts in even lanes. (a + bi)(c + di) = (ac - bd) + (ad + bc)i, every operation rounded.
struct ComplexProduct : Plain<float> {
  template <class V>
  static HWY_INLINE V combine(V a, V b) {
    const V first = times(hn::DupEven(a), b);                     // ac, ad
    const V second = times(hn::DupOdd(a), hn::Reverse2(D(), b));  // bd, bc
    return hn::OddEven(plus(first, second), minus(first, second));
  }
};

template <class T, class Bits, Bits kInfinity>
Kernels kernel_of_floats(Op op) {
  switch (op) {
    case Op::sum:
    case Op::average:
      return kernel<Floating<T, Sum>>();
    case Op::product:
      return kernel<Floating<T, Product>>();
    case Op::min:
      return kernel<Extreme<Bits, kInfinity, false>>();
    case Op::max:
      return kernel<Extreme<Bits, kInfinity, true>>();
    default:
      return {};
  }
}

Kernels floating_kernel(Op op, Dtype dtype) {
  switch (dtype) {
    case Dtype::float32:
      return kernel_of_floats<float, std::int32_t, 0x7f800000>(op);
    case Dtype::float64:
      return kernel_of_floats<double, std::int64_t, 0x7ff0000000000000>(op);
    case Dtype::complex64:
      return op == Op::product ? kernel<ComplexProduct, 2>() : kernel<Floating<float, Sum>, 2>();
    default:
      return {};
  }
}

DivideFunction floating_divide(Dtype dtype) {
  switch (dtype) {
    case Dtype::float32:
      return divide_all<Dividing<float>>;
    case Dtype::float64:
      return divide_all<Dividing<double>>;
    case Dtype::complex64:
      return divide_all<Dividing<float>, 2>;
    default:
      return nullptr;
  }
}

#else

Kernels floating_kernel(Op, Dtype) { return {}; }
DivideFunction floating_divide(Dtype) { return nullptr; }

#endif
}  // namespace jackal::collectives::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace jackal::collectives {

HWY_EXPORT(floating_kernel);
HWY_EXPORT(floating_divide);

Kernels vector_floating_kernel(Op op, Dtype dtype) {
  return HWY_DYNAMIC_DISPATCH(floating_kernel)(op, dtype);
}
DivideFunction vector_floating_divide(Dtype dtype) { return HWY_DYNAMIC_DISPATCH(floating_divide)(dtype); }

}  // namespace jackal::collectives
#endif
