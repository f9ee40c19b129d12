// Every operation on every type in plain C++, for processors that the vector code does not know.
#include "kernels/families.hpp"

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/half.hpp"

namespace jackal::collectives {
namespace {

struct Complex {
  float real;
  float imaginary;
};

// An element in memory is Stored; load() makes of it what an operation takes.
template <class T>
struct Element {
  using Stored = T;
  static T load(T value) { return value; }
  static T store(T value) { return value; }
};
struct Bool {
  using Stored = std::uint8_t;
  static bool load(std::uint8_t value) { return value != 0; }
  static std::uint8_t store(bool value) { return value ? 1 : 0; }
};
// The bits of a floating point type as integers in one order of all patterns, as in vectors-inl.hpp.
template <class T, T kInfinity, bool kMax>
struct Ordered {
  using Stored = T;
  using U = std::make_unsigned_t<T>;
  static constexpr T kMagnitude = std::numeric_limits<T>::max();
  static constexpr U kTurn = static_cast<U>(kMax ? kInfinity - kMagnitude : kMagnitude - kInfinity);
  static T ordered(T bits) { return static_cast<T>(bits < 0 ? bits ^ kMagnitude : bits); }
  static T load(T bits) { return static_cast<T>(static_cast<U>(static_cast<U>(ordered(bits)) + kTurn)); }
  static T store(T value) { return ordered(static_cast<T>(static_cast<U>(static_cast<U>(value) - kTurn))); }
};
struct Float16 {
  using Stored = std::uint16_t;
  static float load(std::uint16_t value) { return float_from_float16(value); }
  static std::uint16_t store(float value) { return float16_from_float(value); }
};
struct Bfloat16 {
  using Stored = std::uint16_t;
  static float load(std::uint16_t value) { return float_from_bfloat16(value); }
  static std::uint16_t store(float value) { return bfloat16_from_float(value); }
};

// The processor's choice between two NaN depends on how the compiler orders the operands.
template <std::floating_point T>
T with_nan_of(T a, T result) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  constexpr Bits kQuiet = Bits{1} << (sizeof(T) == 8 ? 51 : 22);
  return a != a ? std::bit_cast<T>(std::bit_cast<Bits>(a) | kQuiet) : result;
}
template <std::floating_point T>
T plus(T a, T b) {
  return with_nan_of(a, a + b);
}
template <std::floating_point T>
T minus(T a, T b) {
  return with_nan_of(a, a - b);
}
template <std::floating_point T>
T times(T a, T b) {
  return with_nan_of(a, a * b);
}

struct Sum {
  bool operator()(bool a, bool b) const { return a || b; }
  template <std::integral T>
  T operator()(T a, T b) const {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(static_cast<U>(a) + static_cast<U>(b)));
  }
  template <std::floating_point T>
  T operator()(T a, T b) const {
    return plus(a, b);
  }
  Complex operator()(Complex a, Complex b) const {
    return {plus(a.real, b.real), plus(a.imaginary, b.imaginary)};
  }
};
struct Product {
  bool operator()(bool a, bool b) const { return a && b; }
  template <std::integral T>
  T operator()(T a, T b) const {
    // In 64 bits, because uint16 would be multiplied as int, which may overflow.
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  }
  template <std::floating_point T>
  T operator()(T a, T b) const {
    return times(a, b);
  }
  Complex operator()(Complex a, Complex b) const {
    return {minus(times(a.real, b.real), times(a.imaginary, b.imaginary)),
            plus(times(a.real, b.imaginary), times(a.imaginary, b.real))};
  }
};
struct Lesser {
  template <std::integral T>
  T operator()(T a, T b) const {
    return std::min(a, b);
  }
};
struct Greater {
  template <std::integral T>
  T operator()(T a, T b) const {
    return std::max(a, b);
  }
};
struct And {
  template <std::integral T>
  T operator()(T a, T b) const {
    return static_cast<T>(a & b);
  }
};
struct Or {
  template <std::integral T>
  T operator()(T a, T b) const {
    return static_cast<T>(a | b);
  }
};

template <class T>
T element_of(const void* from, std::size_t i) {
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(from) + i * sizeof(T), sizeof(T));
  return value;
}

template <class E, class Operation>
struct Functions {
  using T = typename E::Stored;

  static T combine(T a, T b) { return E::store(Operation{}(E::load(a), E::load(b))); }

  static void pair(const void* a, const void* b, void* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const T value = combine(element_of<T>(a, i), element_of<T>(b, i));
      std::memcpy(static_cast<std::byte*>(out) + i * sizeof(T), &value, sizeof(T));
    }
  }

  static void many(const void* const* sources, std::size_t sources_count, void* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      T value = element_of<T>(sources[0], i);
      for (std::size_t s = 1; s < sources_count; ++s) value = combine(value, element_of<T>(sources[s], i));
      std::memcpy(static_cast<std::byte*>(out) + i * sizeof(T), &value, sizeof(T));
    }
  }
};

template <class E, class Operation>
Kernel kernel() {
  return {Functions<E, Operation>::pair, Functions<E, Operation>::many};
}

template <class E>
Kernel integral(Op op) {
  switch (op) {
    case Op::sum:
      return kernel<E, Sum>();
    case Op::product:
      return kernel<E, Product>();
    case Op::min:
      return kernel<E, Lesser>();
    case Op::max:
      return kernel<E, Greater>();
    case Op::bit_and:
      return kernel<E, And>();
    case Op::bit_or:
      return kernel<E, Or>();
    case Op::average:
      return {};
  }
  return {};
}

template <class E, class Bits, Bits kInfinity>
Kernel floating(Op op) {
  switch (op) {
    case Op::sum:
    case Op::average:
      return kernel<E, Sum>();
    case Op::product:
      return kernel<E, Product>();
    case Op::min:
      return kernel<Ordered<Bits, kInfinity, false>, Lesser>();
    case Op::max:
      return kernel<Ordered<Bits, kInfinity, true>, Greater>();
    default:
      return {};
  }
}

Kernel complex(Op op) {
  return op == Op::product ? kernel<Element<Complex>, Product>() : kernel<Element<Complex>, Sum>();
}

template <class E, class Divisor, std::size_t kParts = 1>
void divide_each(void* data, std::size_t count, int ranks) {
  using T = typename E::Stored;
  for (std::size_t i = 0; i < kParts * count; ++i) {
    const T value = E::store(E::load(element_of<T>(data, i)) / static_cast<Divisor>(ranks));
    std::memcpy(static_cast<std::byte*>(data) + i * sizeof(T), &value, sizeof(T));
  }
}

}  // namespace

Kernel portable_kernel(Op op, Dtype dtype) {
  switch (dtype) {
    case Dtype::bool_:
      return integral<Bool>(op);
    case Dtype::int8:
      return integral<Element<std::int8_t>>(op);
    case Dtype::int16:
      return integral<Element<std::int16_t>>(op);
    case Dtype::int32:
      return integral<Element<std::int32_t>>(op);
    case Dtype::int64:
      return integral<Element<std::int64_t>>(op);
    case Dtype::uint8:
      return integral<Element<std::uint8_t>>(op);
    case Dtype::uint16:
      return integral<Element<std::uint16_t>>(op);
    case Dtype::uint32:
      return integral<Element<std::uint32_t>>(op);
    case Dtype::uint64:
      return integral<Element<std::uint64_t>>(op);
    case Dtype::float16:
      return floating<Float16, std::int16_t, 0x7c00>(op);
    case Dtype::bfloat16:
      return floating<Bfloat16, std::int16_t, 0x7f80>(op);
    case Dtype::float32:
      return floating<Element<float>, std::int32_t, 0x7f800000>(op);
    case Dtype::float64:
      return floating<Element<double>, std::int64_t, 0x7ff0000000000000>(op);
    case Dtype::complex64:
      return complex(op);
  }
  return {};
}

DivideFunction portable_divide(Dtype dtype) {
  switch (dtype) {
    case Dtype::float16:
      return divide_each<Float16, float>;
    case Dtype::bfloat16:
      return divide_each<Bfloat16, float>;
    case Dtype::float32:
      return divide_each<Element<float>, float>;
    case Dtype::float64:
      return divide_each<Element<double>, double>;
    case Dtype::complex64:
      return divide_each<Element<float>, float, 2>;
    default:
      return nullptr;
  }
}

}  // namespace jackal::collectives
