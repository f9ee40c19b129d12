#include "collectives/elements.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <random>

#include "kernels/reduce.hpp"

namespace jackal::collectives {

bool is_nan(Format format, std::uint32_t bits) { return (bits & 0x7fff) > format.infinity(); }

double value_of(Format format, std::uint32_t bits) {
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>((bits & 0x7fff) >> format.fraction_bits);
  const int fraction = static_cast<int>(bits & ((1U << format.fraction_bits) - 1));
  const int one = 1 << format.fraction_bits;
  const double magnitude = (bits & 0x7fff) == format.infinity() ? HUGE_VAL
                           : exponent == 0
                               ? std::ldexp(fraction, 1 - bias - format.fraction_bits)
                               : std::ldexp(one + fraction, exponent - bias - format.fraction_bits);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

// nearbyint() rounds ties to even.
std::uint16_t bits_of(Format format, double value) {
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const std::uint32_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(value);
  if (std::isinf(magnitude)) return static_cast<std::uint16_t>(sign | format.infinity());
  const int exponent = std::max(magnitude == 0 ? -bias : std::ilogb(magnitude), 1 - bias);
  const double units = std::nearbyint(std::ldexp(magnitude, format.fraction_bits - exponent));
  // The units carry into the exponent by themselves: a subnormal's exponent field is 0, as is its base.
  const auto bits =
      static_cast<std::uint32_t>(static_cast<int>(units) + ((exponent + bias - 1) << format.fraction_bits));
  return static_cast<std::uint16_t>(sign | std::min(bits, format.infinity()));
}

namespace {

template <class Float>
Float arithmetic(Op op, Float a, Float b) {
  return op == Op::product ? a * b : a + b;
}

// Of two NaN in min or max: in whichever order they come, the same one.
template <class Bits>
Bits winning_nan(Op op, Bits a, Bits b) {
  constexpr Bits kSign = Bits{1} << (8 * sizeof(Bits) - 1);
  if (((a ^ b) & kSign) != 0) return ((a & kSign) != 0) == (op == Op::max) ? a : b;
  const bool larger = ((a & kSign) == 0) == (op == Op::max);
  return (a > b) == larger ? a : b;
}

std::uint16_t half_result(Format format, Op op, std::uint16_t a, std::uint16_t b) {
  const auto quiet = static_cast<std::uint16_t>(1U << (format.fraction_bits - 1));
  const double x = value_of(format, a);
  const double y = value_of(format, b);
  if (op == Op::min || op == Op::max) {
    if (is_nan(format, a) && is_nan(format, b)) return winning_nan(op, a, b);
    if (is_nan(format, a)) return a;
    if (is_nan(format, b)) return b;
    const bool a_less = x < y || (x == y && std::signbit(x));
    return a_less == (op == Op::min) ? a : b;
  }
  if (is_nan(format, a)) return a | quiet;
  if (is_nan(format, b)) return b | quiet;
  const float result = arithmetic(op, static_cast<float>(x), static_cast<float>(y));
  // What the processor makes of infinity - infinity.
  if (std::isnan(result))
    return static_cast<std::uint16_t>((std::signbit(result) ? 0x8000U : 0U) | format.infinity() | quiet);
  return bits_of(format, static_cast<double>(result));
}

template <class Float, class Bits>
Bits float_result(Op op, Bits a_bits, Bits b_bits) {
  constexpr Bits kQuiet = Bits{1} << (std::numeric_limits<Float>::digits - 2);
  const auto a = std::bit_cast<Float>(a_bits);
  const auto b = std::bit_cast<Float>(b_bits);
  if (op == Op::min || op == Op::max) {
    if (std::isnan(a) && std::isnan(b)) return winning_nan(op, a_bits, b_bits);
    if (std::isnan(a)) return a_bits;
    if (std::isnan(b)) return b_bits;
    const bool a_less = a < b || (a == b && std::signbit(a));
    return a_less == (op == Op::min) ? a_bits : b_bits;
  }
  if (std::isnan(a)) return a_bits | kQuiet;
  if (std::isnan(b)) return b_bits | kQuiet;
  return std::bit_cast<Bits>(arithmetic(op, a, b));
}

std::uint64_t complex_result(Op op, std::uint64_t a, std::uint64_t b) {
  using U = std::uint32_t;
  const auto f = [](Op part, U x, U y) { return float_result<float, U>(part, x, y); };
  const auto minus = [](U x, U y) {
    const auto difference = std::bit_cast<float>(x) - std::bit_cast<float>(y);
    return std::isnan(std::bit_cast<float>(x))   ? x
           : std::isnan(std::bit_cast<float>(y)) ? y
                                                 : std::bit_cast<U>(difference);
  };
  const auto join = [](U real, U imaginary) { return std::uint64_t{imaginary} << 32 | real; };
  const auto ar = static_cast<U>(a), ai = static_cast<U>(a >> 32);
  const auto br = static_cast<U>(b), bi = static_cast<U>(b >> 32);
  if (op != Op::product) return join(f(Op::sum, ar, br), f(Op::sum, ai, bi));
  return join(minus(f(Op::product, ar, br), f(Op::product, ai, bi)),
              f(Op::sum, f(Op::product, ar, bi), f(Op::product, ai, br)));
}

template <class T>
std::uint64_t integer_result(Op op, std::uint64_t a_bits, std::uint64_t b_bits) {
  const auto a = static_cast<T>(a_bits);
  const auto b = static_cast<T>(b_bits);
  switch (op) {
    case Op::sum:
      return a_bits + b_bits;
    case Op::product:
      return a_bits * b_bits;
    case Op::min:
      return static_cast<std::uint64_t>(a < b ? a : b);
    case Op::max:
      return static_cast<std::uint64_t>(a > b ? a : b);
    case Op::bit_and:
      return a_bits & b_bits;
    default:
      return a_bits | b_bits;
  }
}

}  // namespace

std::uint64_t result_of(Op op, Dtype dtype, std::uint64_t a, std::uint64_t b) {
  const auto low16 = [](std::uint64_t bits) { return static_cast<std::uint16_t>(bits); };
  switch (dtype) {
    case Dtype::bool_:
      return op == Op::product || op == Op::min || op == Op::bit_and ? (a != 0 && b != 0) : (a | b) != 0;
    case Dtype::int8:
      return integer_result<std::int8_t>(op, a, b);
    case Dtype::int16:
      return integer_result<std::int16_t>(op, a, b);
    case Dtype::int32:
      return integer_result<std::int32_t>(op, a, b);
    case Dtype::int64:
      return integer_result<std::int64_t>(op, a, b);
    case Dtype::uint8:
    case Dtype::uint16:
    case Dtype::uint32:
    case Dtype::uint64:
      return integer_result<std::uint64_t>(op, a, b);
    case Dtype::float16:
      return half_result(kFloat16, op, low16(a), low16(b));
    case Dtype::bfloat16:
      return half_result(kBfloat16, op, low16(a), low16(b));
    case Dtype::float32:
      return float_result<float>(op, static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
    case Dtype::float64:
      return float_result<double>(op, a, b);
    case Dtype::complex64:
      return complex_result(op, a, b);
  }
  return 0;
}

std::uint64_t element(const Bytes& bytes, std::size_t size, std::size_t i) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, bytes.data() + i * size, size);
  return bits;
}

Bytes elements_of(Dtype dtype, std::size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  const std::size_t size = dtype_size(dtype);
  const std::size_t lane = dtype == Dtype::complex64 ? 4 : size;
  const std::uint64_t infinity = dtype == Dtype::float16    ? 0x7c00
                                 : dtype == Dtype::bfloat16 ? 0x7f80
                                 : dtype == Dtype::float64  ? 0x7ff0000000000000
                                                            : 0x7f800000;
  const std::uint64_t specials[] = {
      0, 1, ~std::uint64_t{0} >> 1, infinity, infinity + 1, infinity - 1, infinity | infinity >> 1};
  Bytes bytes(count * size);
  for (std::size_t at = 0; at < bytes.size(); at += lane) {
    std::uint64_t bits = random();
    if (random() % 2 == 0) bits = specials[random() % std::size(specials)] | (random() % 2) << (8 * lane - 1);
    std::memcpy(bytes.data() + at, &bits, lane);
  }
  return bytes;
}

Bytes expected_of(Op op, Dtype dtype, const Bytes& a, const Bytes& b) {
  const std::size_t size = dtype_size(dtype);
  Bytes result(a.size());
  for (std::size_t i = 0; i < a.size() / size; ++i) {
    const std::uint64_t bits = result_of(op, dtype, element(a, size, i), element(b, size, i));
    std::memcpy(result.data() + i * size, &bits, size);
  }
  return result;
}

}  // namespace jackal::collectives
