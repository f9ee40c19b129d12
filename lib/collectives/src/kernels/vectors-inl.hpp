// The loops over memory, compiled once for every instruction set; included by the files that
// hwy/foreach_target.h repeats, hence the guard that flips instead of #pragma once.
//
// A policy P says what one vector of elements is: P::T in memory, loaded by the tag P::D; enter() makes of it
// what combine(a, b) computes with, leave() undoes that, and settle() rounds a result as leaving and entering
// would. Lanes never influence each other beyond one element, so that what a lane yields does not depend
// on where in the vector, or in the tail, the element lies.
#if defined(JACKAL_KERNELS_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef JACKAL_KERNELS_VECTORS_INL
#undef JACKAL_KERNELS_VECTORS_INL
#else
#define JACKAL_KERNELS_VECTORS_INL
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/families.hpp"
#include "kernels/stream.hpp"

// Highway's stand-ins for vectors are left out: portable.cpp does that better.
#undef JACKAL_KERNELS_VECTORS
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
#define JACKAL_KERNELS_VECTORS 0
#else
#define JACKAL_KERNELS_VECTORS 1
#endif

#if JACKAL_KERNELS_VECTORS
HWY_BEFORE_NAMESPACE();
namespace jackal::collectives::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Up to a vector of elements, the rest zero; no byte beyond is touched.
#if HWY_MEM_OPS_MIGHT_FAULT
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_first(D d, const T* from, std::size_t count) {
  HWY_ALIGN T lanes[hn::MaxLanes(d)] = {};
  std::memcpy(lanes, from, count * sizeof(T));
  return hn::Load(d, lanes);
}
template <class D, class T = hn::TFromD<D>>
HWY_INLINE void store_first(hn::Vec<D> value, D d, T* to, std::size_t count) {
  HWY_ALIGN T lanes[hn::MaxLanes(d)];
  hn::Store(value, d, lanes);
  std::memcpy(to, lanes, count * sizeof(T));
}
#else
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_first(D d, const T* from, std::size_t count) {
  return hn::MaskedLoad(hn::FirstN(d, count), d, from);
}
template <class D, class T = hn::TFromD<D>>
HWY_INLINE void store_first(hn::Vec<D> value, D d, T* to, std::size_t count) {
  hn::BlendedStore(value, hn::FirstN(d, count), d, to);
}
#endif

template <class P>
HWY_INLINE const typename P::T* element(const void* base, std::size_t index) {
  return static_cast<const typename P::T*>(base) + index;
}

// Elements [at, at + count) of at most one vector.
template <class P>
HWY_INLINE void fold_first(const void* const* sources, std::size_t sources_count, typename P::T* out,
                           std::size_t at, std::size_t count) {
  const typename P::D d;
  auto sum = P::enter(load_first(d, element<P>(sources[0], at), count));
  for (std::size_t s = 1; s < sources_count; ++s) {
    if (s > 1) sum = P::settle(sum);
    sum = P::combine(sum, P::enter(load_first(d, element<P>(sources[s], at), count)));
  }
  store_first(P::leave(sum), d, out + at, count);
}

// Four vectors at a time hide the latency of combine(); variables and not an array, because SVE's vectors
// have no size. The pointers are read anew for every block: at 64 sources there are too many for registers.
template <class P>
HWY_INLINE void fold(const void* const* sources, std::size_t sources_count, void* to, std::size_t count,
                     std::size_t stream_from) {
  using T = typename P::T;
  const typename P::D d;
  const std::size_t lanes = hn::Lanes(d);
  T* out = static_cast<T*>(to);
  std::size_t i = 0;
  const bool stream = streams(sources, sources_count, to, count * sizeof(T), sizeof(T), stream_from);
  if (stream) {
    i = bytes_to_boundary(to, lanes * sizeof(T)) / sizeof(T);
    if (i > 0) fold_first<P>(sources, sources_count, out, 0, i);
  }
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    const T* from = element<P>(sources[0], i);
    auto sum0 = P::enter(hn::LoadU(d, from));
    auto sum1 = P::enter(hn::LoadU(d, from + lanes));
    auto sum2 = P::enter(hn::LoadU(d, from + 2 * lanes));
    auto sum3 = P::enter(hn::LoadU(d, from + 3 * lanes));
    for (std::size_t s = 1; s < sources_count; ++s) {
      if (s > 1) {
        sum0 = P::settle(sum0);
        sum1 = P::settle(sum1);
        sum2 = P::settle(sum2);
        sum3 = P::settle(sum3);
      }
      from = element<P>(sources[s], i);
      sum0 = P::combine(sum0, P::enter(hn::LoadU(d, from)));
      sum1 = P::combine(sum1, P::enter(hn::LoadU(d, from + lanes)));
      sum2 = P::combine(sum2, P::enter(hn::LoadU(d, from + 2 * lanes)));
      sum3 = P::combine(sum3, P::enter(hn::LoadU(d, from + 3 * lanes)));
    }
    if (stream) {
      hn::Stream(P::leave(sum0), d, out + i);
      hn::Stream(P::leave(sum1), d, out + i + lanes);
      hn::Stream(P::leave(sum2), d, out + i + 2 * lanes);
      hn::Stream(P::leave(sum3), d, out + i + 3 * lanes);
    } else {
      hn::StoreU(P::leave(sum0), d, out + i);
      hn::StoreU(P::leave(sum1), d, out + i + lanes);
      hn::StoreU(P::leave(sum2), d, out + i + 2 * lanes);
      hn::StoreU(P::leave(sum3), d, out + i + 3 * lanes);
    }
  }
  for (; i < count; i += lanes)
    fold_first<P>(sources, sources_count, out, i, count - i < lanes ? count - i : lanes);
  // Others may be told that `out` is ready as soon as this returns.
  if (stream) hwy::FlushStream();
}

template <class P>
HWY_NOINLINE void fold_pair(const void* a, const void* b, void* out, std::size_t count,
                            std::size_t stream_from) {
  const void* const sources[] = {a, b};
  fold<P>(sources, 2, out, count, stream_from);
}

template <class P>
HWY_NOINLINE void fold_many(const void* const* sources, std::size_t sources_count, void* out,
                            std::size_t count, std::size_t stream_from) {
  if (sources_count == 1) return copy(out, sources[0], count * sizeof(typename P::T));
  fold<P>(sources, sources_count, out, count, stream_from);
}

// An element is kLanes elements of P.
template <class P, std::size_t kLanes, std::size_t kStreamFrom>
void pair(const void* a, const void* b, void* out, std::size_t count) {
  fold_pair<P>(a, b, out, kLanes * count, kStreamFrom);
}
template <class P, std::size_t kLanes, std::size_t kStreamFrom>
void many(const void* const* sources, std::size_t sources_count, void* out, std::size_t count) {
  fold_many<P>(sources, sources_count, out, kLanes * count, kStreamFrom);
}

template <class P, std::size_t kLanes = 1>
Kernels kernel() {
  return {{pair<P, kLanes, kStreamBytes>, many<P, kLanes, kStreamBytes>},
          {pair<P, kLanes, kStreamBlock>, many<P, kLanes, kStreamBlock>}};
}

// P::divide(v, divisor) of every element.
template <class P, std::size_t kLanes = 1>
void divide_all(void* data, std::size_t count, int ranks) {
  const typename P::D d;
  const std::size_t lanes = hn::Lanes(d);
  auto* elements = static_cast<typename P::T*>(data);
  std::size_t i = 0;
  for (; i + lanes <= kLanes * count; i += lanes)
    hn::StoreU(P::divide(hn::LoadU(d, elements + i), ranks), d, elements + i);
  const std::size_t rest = kLanes * count - i;
  if (rest > 0) store_first(P::divide(load_first(d, elements + i, rest), ranks), d, elements + i, rest);
}

template <class T_>
struct Plain {
  using T = T_;
  using D = hn::ScalableTag<T>;
  template <class V>
  static HWY_INLINE V enter(V value) {
    return value;
  }
  template <class V>
  static HWY_INLINE V leave(V value) {
    return value;
  }
  template <class V>
  static HWY_INLINE V settle(V value) {
    return value;
  }
};

// min (kMax = false) and max of a floating point type with the bits T (signed) and the infinity kInfinity.
// Its values are computed as integers in one total order of all bit patterns, with -0 before +0 and every
// NaN beyond the end that wins: so the result is one of the operands, whatever their order.
template <class T_, T_ kInfinity, bool kMax>
struct Extreme : Plain<T_> {
  using T = T_;
  using D = hn::ScalableTag<T>;
  using U = hwy::MakeUnsigned<T>;
  static constexpr T kMagnitude = static_cast<T>(static_cast<U>(~U{0}) >> 1);
  // Turns the circle of ordered patterns so that it is cut just before -infinity for max, just after
  // +infinity for min, and starts at the least T.
  static constexpr T kTurn = static_cast<T>(kMax ? kInfinity - kMagnitude : kMagnitude - kInfinity);

  template <class V>
  static HWY_INLINE V ordered(V value) {
    return hn::Xor(value, hn::And(hn::BroadcastSignBit(value), hn::Set(D(), kMagnitude)));
  }
  template <class V>
  static HWY_INLINE V enter(V value) {
    return hn::Add(ordered(value), hn::Set(D(), kTurn));
  }
  template <class V>
  static HWY_INLINE V leave(V value) {
    return ordered(hn::Sub(value, hn::Set(D(), kTurn)));
  }
  template <class V>
  static HWY_INLINE V combine(V a, V b) {
    if constexpr (kMax) {
      return hn::Max(a, b);
    } else {
      return hn::Min(a, b);
    }
  }
};

// The processor's choice between two NaN depends on how the compiler orders the operands.
template <class V>
HWY_INLINE V with_nan_of(V a, V result) {
  using D = hn::DFromV<V>;
  using U = hwy::MakeUnsigned<hn::TFromD<D>>;
  constexpr U kQuiet = U{1} << (sizeof(U) == 8 ? 51 : 22);
  const hn::RebindToUnsigned<D> bits;
  const V quiet = hn::BitCast(D(), hn::Or(hn::BitCast(bits, a), hn::Set(bits, kQuiet)));
  return hn::IfThenElse(hn::IsNaN(a), quiet, result);
}
template <class V>
HWY_INLINE V plus(V a, V b) {
  return with_nan_of(a, hn::Add(a, b));
}
template <class V>
HWY_INLINE V minus(V a, V b) {
  return with_nan_of(a, hn::Sub(a, b));
}
template <class V>
HWY_INLINE V times(V a, V b) {
  return with_nan_of(a, hn::Mul(a, b));
}

struct Sum {
  template <class V>
  static HWY_INLINE V of(V a, V b) {
    return plus(a, b);
  }
};
struct Product {
  template <class V>
  static HWY_INLINE V of(V a, V b) {
    return times(a, b);
  }
};

}  // namespace jackal::collectives::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif  // JACKAL_KERNELS_VECTORS
#endif  // guard
