#include "kernels/reduce.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>

#include "kernels/half.hpp"

namespace jackal::collectives {
namespace {

struct Complex {
  float real;
  float imaginary;
};

// How one element is computed: T is stored, and turned into Wide for the operation.
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

struct Sum {
  bool operator()(bool a, bool b) const { return a || b; }
  template <std::integral T>
  T operator()(T a, T b) const {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(static_cast<U>(a) + static_cast<U>(b)));
  }
  template <std::floating_point T>
  T operator()(T a, T b) const {
    return a + b;
  }
  Complex operator()(Complex a, Complex b) const { return {a.real + b.real, a.imaginary + b.imaginary}; }
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
    return a * b;
  }
  Complex operator()(Complex a, Complex b) const {
    return {a.real * b.real - a.imaginary * b.imaginary, a.real * b.imaginary + a.imaginary * b.real};
  }
};
template <bool kMax>
struct Extreme {
  template <std::integral T>
  T operator()(T a, T b) const {
    return kMax ? std::max(a, b) : std::min(a, b);
  }
  // -0 is less than +0, whichever comes first.
  template <std::floating_point T>
  T operator()(T a, T b) const {
    if (a != a) return a;
    if (b != b) return b;
    if (a == b) return std::signbit(a) != kMax ? a : b;
    return (a > b) == kMax ? a : b;
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
Kernel arithmetic(Op op) {
  switch (op) {
    case Op::sum:
    case Op::average:
      return kernel<E, Sum>();
    case Op::product:
      return kernel<E, Product>();
    case Op::min:
      return kernel<E, Extreme<false>>();
    case Op::max:
      return kernel<E, Extreme<true>>();
    default:
      return {};
  }
}

template <class E>
Kernel integral(Op op) {
  if (op == Op::bit_and) return kernel<E, And>();
  if (op == Op::bit_or) return kernel<E, Or>();
  return arithmetic<E>(op);
}

Kernel complex(Op op) {
  return op == Op::product ? kernel<Element<Complex>, Product>() : kernel<Element<Complex>, Sum>();
}

template <class E, class Divisor>
void divide_each(void* data, std::size_t count, Divisor ranks) {
  using T = typename E::Stored;
  for (std::size_t i = 0; i < count; ++i) {
    const T value = E::store(E::load(element_of<T>(data, i)) / ranks);
    std::memcpy(static_cast<std::byte*>(data) + i * sizeof(T), &value, sizeof(T));
  }
}

}  // namespace

Kernel kernel_of(Op op, Dtype dtype) {
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
      return arithmetic<Float16>(op);
    case Dtype::bfloat16:
      return arithmetic<Bfloat16>(op);
    case Dtype::float32:
      return arithmetic<Element<float>>(op);
    case Dtype::float64:
      return arithmetic<Element<double>>(op);
    case Dtype::complex64:
      return complex(op);
  }
  return {};
}

void divide(Dtype dtype, void* data, std::size_t count, int ranks) {
  switch (dtype) {
    case Dtype::float16:
      return divide_each<Float16>(data, count, static_cast<float>(ranks));
    case Dtype::bfloat16:
      return divide_each<Bfloat16>(data, count, static_cast<float>(ranks));
    case Dtype::float32:
      return divide_each<Element<float>>(data, count, static_cast<float>(ranks));
    case Dtype::complex64:
      return divide_each<Element<float>>(data, 2 * count, static_cast<float>(ranks));
    default:
      return divide_each<Element<double>>(data, count, static_cast<double>(ranks));
  }
}

void copy(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

std::string kernel_target() { return "SCALAR"; }

}  // namespace jackal::collectives
