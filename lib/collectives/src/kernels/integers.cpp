// bool and integers in vectors. Unsigned lanes wherever the sign does not matter, so that everything wraps.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/integers.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vectors-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace jackal::collectives::HWY_NAMESPACE {
#if JACKAL_KERNELS_VECTORS

template <class T>
struct Adding : Plain<T> {
  template <class V>
  static HWY_INLINE V combine(V a, V b) {
    return hn::Add(a, b);
  }
};

template <class T>
struct Multiplying : Plain<T> {
  template <class V>
  static HWY_INLINE V combine(V a, V b) {
    return hn::Mul(a, b);
  }
};

// There is no multiplication of bytes: even and odd ones are multiplied in lanes of 16 bits.
template <>
struct Multiplying<std::uint8_t> : Plain<std::uint8_t> {
  template <class V>
  static HWY_INLINE V combine(V a, V b) {
    const D d;
    const hn::RepartitionToWide<D> wide;
    const auto low = hn::Set(wide, std::uint16_t{0xff});
    const auto a2 = hn::BitCast(wide, a);
    const auto b2 = hn::BitCast(wide, b);
    const auto even = hn::And(hn::Mul(a2, b2), low);
    const auto odd = hn::ShiftLeft<8>(hn::Mul(hn::ShiftRight<8>(a2), hn::ShiftRight<8>(b2)));
    return hn::BitCast(d, hn::Or(even, odd));
  }
};

template <class T>
struct Lesser : Plain<T> {
  template <class V>
  static HWY_INLINE V combine(V a, V b) {
    return hn::Min(a, b);
  }
};
template <class T>
struct Greater : Plain<T> {
  template <class V>
  static HWY_INLINE V combine(V a, V b) {
    return hn::Max(a, b);
  }
};

struct BitAnd : Plain<std::uint8_t> {
  template <class V>
  static HWY_INLINE V combine(V a, V b) {
    return hn::And(a, b);
  }
};
struct BitOr : Plain<std::uint8_t> {
  template <class V>
  static HWY_INLINE V combine(V a, V b) {
    return hn::Or(a, b);
  }
};

// Any byte but 0 is true.
template <class Bits>
struct Bool : Bits {
  template <class V>
  static HWY_INLINE V enter(V value) {
    return hn::Min(value, hn::Set(typename Bits::D(), std::uint8_t{1}));
  }
};

template <class T>
Kernels kernel_of_integers(Op op) {
  using U = hwy::MakeUnsigned<T>;
  switch (op) {
    case Op::sum:
      return kernel<Adding<U>>();
    case Op::product:
      return kernel<Multiplying<U>>();
    case Op::min:
      return kernel<Lesser<T>>();
    case Op::max:
      return kernel<Greater<T>>();
    case Op::bit_and:
      return kernel<BitAnd, sizeof(T)>();
    case Op::bit_or:
      return kernel<BitOr, sizeof(T)>();
    case Op::average:
      return {};
  }
  return {};
}

Kernels kernel_of_bool(Op op) {
  switch (op) {
    case Op::sum:
    case Op::max:
    case Op::bit_or:
      return kernel<Bool<BitOr>>();
    case Op::product:
    case Op::min:
    case Op::bit_and:
      return kernel<Bool<BitAnd>>();
    case Op::average:
      return {};
  }
  return {};
}

Kernels integer_kernel(Op op, Dtype dtype) {
  switch (dtype) {
    case Dtype::bool_:
      return kernel_of_bool(op);
    case Dtype::int8:
      return kernel_of_integers<std::int8_t>(op);
    case Dtype::int16:
      return kernel_of_integers<std::int16_t>(op);
    case Dtype::int32:
      return kernel_of_integers<std::int32_t>(op);
    case Dtype::int64:
      return kernel_of_integers<std::int64_t>(op);
    case Dtype::uint8:
      return kernel_of_integers<std::uint8_t>(op);
    case Dtype::uint16:
      return kernel_of_integers<std::uint16_t>(op);
    case Dtype::uint32:
      return kernel_of_integers<std::uint32_t>(op);
    case Dtype::uint64:
      return kernel_of_integers<std::uint64_t>(op);
    default:
      return {};
  }
}

#else

Kernels integer_kernel(Op, Dtype) { return {}; }

#endif
}  // namespace jackal::collectives::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace jackal::collectives {

HWY_EXPORT(integer_kernel);

Kernels vector_integer_kernel(Op op, Dtype dtype) { return HWY_DYNAMIC_DISPATCH(integer_kernel)(op, dtype); }

}  // namespace jackal::collectives
#endif
