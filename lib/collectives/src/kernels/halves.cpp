// float16 and bfloat16 in vectors: computed in float32, each result rounded once.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/halves.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vectors-inl.hpp"

// SSE4 has no instructions that convert float16; portable.cpp does it there.
#undef JACKAL_KERNELS_FLOAT16
#if HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_SSSE3
#define JACKAL_KERNELS_FLOAT16 0
#else
#define JACKAL_KERNELS_FLOAT16 1
#endif

HWY_BEFORE_NAMESPACE();
namespace jackal::collectives::HWY_NAMESPACE {
#if JACKAL_KERNELS_VECTORS

using Wide = hn::ScalableTag<float>;
using WideBits = hn::RebindToUnsigned<Wide>;

// Two neighbouring bfloat16 share a float32 lane: the odd one is its upper half, and so a float32 but for
// cleared low bits; the even one is shifted there.
template <class V>
HWY_INLINE hn::Vec<Wide> even_of(V pairs) {
  return hn::BitCast(Wide(), hn::ShiftLeft<16>(hn::BitCast(WideBits(), pairs)));
}
template <class V>
HWY_INLINE hn::Vec<Wide> odd_of(V pairs) {
  return hn::BitCast(Wide(), hn::And(hn::BitCast(WideBits(), pairs), hn::Set(WideBits(), 0xffff0000U)));
}

// To nearest, ties to even, in the upper half of each lane. Rounding could carry a NaN over to infinity; it
// is quiet here, so that its upper half is one.
template <class V>
HWY_INLINE hn::Vec<WideBits> rounded(V value) {
  const WideBits d;
  const auto bits = hn::BitCast(d, value);
  const auto last = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1U));
  const auto up = hn::Add(bits, hn::Add(last, hn::Set(d, 0x7fffU)));
  return hn::IfThenElse(hn::RebindMask(d, hn::IsNaN(value)), bits, up);
}
template <class V>
HWY_INLINE hn::Vec<hn::ScalableTag<std::uint16_t>> joined(V even, V odd) {
  const WideBits d;
  const auto upper = hn::And(rounded(odd), hn::Set(d, 0xffff0000U));
  return hn::BitCast(hn::ScalableTag<std::uint16_t>(), hn::Or(upper, hn::ShiftRight<16>(rounded(even))));
}

template <class Operation>
struct Bfloat16s : Plain<std::uint16_t> {
  template <class V>
  static HWY_INLINE V combine(V a, V b) {
    return joined(Operation::of(even_of(a), even_of(b)), Operation::of(odd_of(a), odd_of(b)));
  }
};

struct Bfloat16Dividing : Plain<std::uint16_t> {
  template <class V>
  static HWY_INLINE V divide(V value, int ranks) {
    const auto divisor = hn::Set(Wide(), static_cast<float>(ranks));
    return joined(hn::Div(even_of(value), divisor), hn::Div(odd_of(value), divisor));
  }
};

Kernels kernel_of_bfloat16(Op op) {
  switch (op) {
    case Op::sum:
    case Op::average:
      return kernel<Bfloat16s<Sum>>();
    case Op::product:
      return kernel<Bfloat16s<Product>>();
    case Op::min:
      return kernel<Extreme<std::int16_t, 0x7f80, false>>();
    case Op::max:
      return kernel<Extreme<std::int16_t, 0x7f80, true>>();
    default:
      return {};
  }
}

#if JACKAL_KERNELS_FLOAT16

// Half a vector of float16 in memory, a vector of float32 in between.
struct Float16 {
  using T = std::uint16_t;
  using D = hn::Rebind<T, Wide>;
  using Halves = hn::Rebind<hwy::float16_t, Wide>;

  template <class V>
  static HWY_INLINE hn::Vec<Wide> enter(V value) {
    return hn::PromoteTo(Wide(), hn::BitCast(Halves(), value));
  }
  template <class V>
  static HWY_INLINE hn::Vec<D> leave(V value) {
    return hn::BitCast(D(), hn::DemoteTo(Halves(), value));
  }
  template <class V>
  static HWY_INLINE V settle(V value) {
    return enter(leave(value));
  }
  template <class V>
  static HWY_INLINE V divide(V value, int ranks) {
    return leave(hn::Div(enter(value), hn::Set(Wide(), static_cast<float>(ranks))));
  }
};

template <class Operation>
struct Float16s : Float16 {
  template <class V>
  static HWY_INLINE V combine(V a, V b) {
    return Operation::of(a, b);
  }
};

Kernels float16_sum() { return kernel<Float16s<Sum>>(); }
Kernels float16_product() { return kernel<Float16s<Product>>(); }
DivideFunction float16_divide() { return divide_all<Float16>; }

#else

Kernels float16_sum() { return {}; }
Kernels float16_product() { return {}; }
DivideFunction float16_divide() { return nullptr; }

#endif

Kernels kernel_of_float16(Op op) {
  switch (op) {
    case Op::sum:
    case Op::average:
      return float16_sum();
    case Op::product:
      return float16_product();
    case Op::min:
      return kernel<Extreme<std::int16_t, 0x7c00, false>>();
    case Op::max:
      return kernel<Extreme<std::int16_t, 0x7c00, true>>();
    default:
      return {};
  }
}

Kernels half_kernel(Op op, Dtype dtype) {
  return dtype == Dtype::float16 ? kernel_of_float16(op) : kernel_of_bfloat16(op);
}

DivideFunction half_divide(Dtype dtype) {
  return dtype == Dtype::float16 ? float16_divide() : divide_all<Bfloat16Dividing>;
}

#else

Kernels half_kernel(Op, Dtype) { return {}; }
DivideFunction half_divide(Dtype) { return nullptr; }

#endif
}  // namespace jackal::collectives::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace jackal::collectives {

HWY_EXPORT(half_kernel);
HWY_EXPORT(half_divide);

Kernels vector_half_kernel(Op op, Dtype dtype) { return HWY_DYNAMIC_DISPATCH(half_kernel)(op, dtype); }
DivideFunction vector_half_divide(Dtype dtype) { return HWY_DYNAMIC_DISPATCH(half_divide)(dtype); }

}  // namespace jackal::collectives
#endif
