#include "collectives/matrix/pattern.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace matrix {
namespace {

std::uint64_t ones(int bits) { return (std::uint64_t{1} << bits) - 1; }

std::uint64_t fields(const Format& format, bool negative, int exponent, std::uint64_t mantissa) {
  return std::uint64_t{negative} << (format.exponent_bits + format.mantissa_bits) |
         static_cast<std::uint64_t>(exponent) << format.mantissa_bits |
         (mantissa & ones(format.mantissa_bits));
}

// The bits of a power of two times a small odd number, which every format holds exactly.
std::uint64_t exactly(const Format& format, double value) {
  if (value == 0) return 0;
  int exponent = 0;
  const double fraction = std::frexp(std::fabs(value), &exponent);  // in [0.5, 1)
  const double mantissa = std::ldexp(2 * fraction - 1, format.mantissa_bits);
  return fields(format, value < 0, exponent - 1 + format.bias(), static_cast<std::uint64_t>(mantissa));
}

std::uint64_t special(const Format& format, Op op, std::uint64_t word) {
  const int last = static_cast<int>(ones(format.exponent_bits));
  const bool negative = (word & 1) != 0;
  switch (word >> 1 & 3) {
    case 0:
      return fields(format, negative, 0, 0);
    case 1:
      return fields(format, negative, last, 0);
    case 2:
      return fields(format, negative, last, word >> 8 | std::uint64_t{1} << (format.mantissa_bits - 1));
    default:
      // A product may round it to nothing, which times infinity would be something else.
      return op == Op::product ? fields(format, negative, format.bias(), 0)
                               : fields(format, negative, 0, word >> 8);
  }
}

std::uint64_t floating(const Pattern& pattern, std::uint64_t word) {
  const Format format = format_of(pattern.dtype);
  const bool product = pattern.op == Op::product;
  if (pattern.values == Values::exact) {
    const double small = static_cast<double>(static_cast<int>(word % 17) - 8);
    if (!product) return exactly(format, small);
    // Powers of two, or for the halves of a complex number what makes it a Gaussian integer.
    static constexpr std::array kPowers = {1.0, -1.0, 2.0, -2.0, 0.5, -0.5};
    static constexpr std::array kUnits = {1.0, -1.0, 0.0};
    return exactly(format, pattern.dtype == Dtype::complex64 ? kUnits[word % 3] : kPowers[word % 6]);
  }
  if (pattern.values == Values::special && word % 8 == 0 && !(product && pattern.dtype == Dtype::complex64))
    return special(format, pattern.op, word >> 3);
  const int spread = product ? 2 : 4;  // 0.5 … 2 or 0.125 … 2
  const int exponent = format.bias() - static_cast<int>((word >> 60) % static_cast<std::uint64_t>(spread));
  return fields(format, (word >> 59 & 1) != 0, exponent, word);
}

}  // namespace

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  std::uint64_t word = a * 0x9e3779b97f4a7c15U + b;
  word = (word ^ word >> 32) * 0xd6e8feb86659fd93U;
  word = (word ^ word >> 32) * 0xd6e8feb86659fd93U;
  return word ^ word >> 32;
}

std::size_t size_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::bool_:
    case Dtype::int8:
    case Dtype::uint8:
      return 1;
    case Dtype::int16:
    case Dtype::uint16:
    case Dtype::float16:
    case Dtype::bfloat16:
      return 2;
    case Dtype::int32:
    case Dtype::uint32:
    case Dtype::float32:
      return 4;
    case Dtype::int64:
    case Dtype::uint64:
    case Dtype::float64:
    case Dtype::complex64:
      return 8;
  }
  throw std::logic_error("no such type");
}

bool is_floating(Dtype dtype) { return dtype >= Dtype::float16; }

Format format_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::float16:
      return {5, 10};
    case Dtype::bfloat16:
      return {8, 7};
    case Dtype::float32:
    case Dtype::complex64:
      return {8, 23};
    case Dtype::float64:
      return {11, 52};
    default:
      throw std::logic_error("not a floating-point type");
  }
}

Bytes elements(const Pattern& pattern, int rank, std::size_t first, std::size_t count) {
  const bool complex = pattern.dtype == Dtype::complex64;
  const std::size_t width = complex ? 4 : size_of(pattern.dtype);
  const std::size_t halves = complex ? 2 : 1;
  const std::uint64_t seed = mixed(pattern.seed, static_cast<std::uint64_t>(rank));
  Bytes bytes(count * halves * width);
  for (std::size_t i = 0; i < count * halves; ++i) {
    std::uint64_t word = mixed(seed, first * halves + i);
    if (pattern.dtype == Dtype::bool_) word &= 1;
    if (is_floating(pattern.dtype)) word = floating(pattern, word);
    for (std::size_t byte = 0; byte < width; ++byte)
      bytes[i * width + byte] = static_cast<std::byte>(word >> 8 * byte & 0xff);
  }
  return bytes;
}

long double number(Dtype dtype, const std::byte* at) {
  const Format format = format_of(dtype);
  std::uint64_t bits = 0;
  for (int byte = format.bytes() - 1; byte >= 0; --byte)
    bits = bits << 8 | std::to_integer<unsigned>(at[byte]);
  const std::uint64_t mantissa = bits & ones(format.mantissa_bits);
  const auto exponent = static_cast<int>(bits >> format.mantissa_bits & ones(format.exponent_bits));
  const bool negative = (bits >> (format.exponent_bits + format.mantissa_bits)) != 0;
  long double value = 0;
  if (exponent == static_cast<int>(ones(format.exponent_bits)))
    value = mantissa != 0 ? std::numeric_limits<long double>::quiet_NaN()
                          : std::numeric_limits<long double>::infinity();
  else if (exponent == 0)
    value = std::ldexp(static_cast<long double>(mantissa), 1 - format.bias() - format.mantissa_bits);
  else
    value = std::ldexp(static_cast<long double>(mantissa | std::uint64_t{1} << format.mantissa_bits),
                       exponent - format.bias() - format.mantissa_bits);
  return negative ? -value : value;
}

}  // namespace matrix
