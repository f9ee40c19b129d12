// JACCL's element types that C++ lacks.
#pragma once

#include <bit>
#include <complex>
#include <cstdint>

namespace jaccl {

namespace detail {

/// IEEE binary16 from float, rounded to nearest, ties to even.
constexpr std::uint16_t half_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const std::uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return static_cast<std::uint16_t>(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
  if (magnitude >= 0x47800000) return static_cast<std::uint16_t>(sign | 0x7c00);
  if (magnitude < 0x33000000) return sign;
  // A subnormal half counts units of 2^-24; a normal one keeps 10 of 23 bits.
  const int exponent = static_cast<int>(magnitude >> 23);
  const bool subnormal = exponent < 113;
  const std::uint32_t mantissa = subnormal ? ((magnitude & 0x7fffff) | 0x800000) : magnitude - (112u << 23);
  const int shift = subnormal ? 126 - exponent : 13;
  const std::uint32_t half = 1u << (shift - 1);
  const std::uint32_t rest = mantissa & ((1u << shift) - 1);
  std::uint32_t result = mantissa >> shift;
  if (rest > half || (rest == half && (result & 1) != 0)) ++result;
  return static_cast<std::uint16_t>(sign | result);
}

constexpr float float_of_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  const std::uint32_t exponent = half >> 10 & 0x1f;
  const std::uint32_t mantissa = half & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float small = static_cast<float>(mantissa) * 0x1p-24f;
  return sign != 0 ? -small : small;
}

constexpr std::uint16_t bfloat_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

constexpr float float_of_bfloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// 16 bits that stand for a float: everything is computed and compared as float, and rounded once when it is
/// stored. Where JACCL runs, float16_t is a type of the compiler, so that all assignments of numbers exist.
template <std::uint16_t (*Narrow)(float), float (*Widen)(std::uint16_t)>
struct SixteenBits {
  std::uint16_t bits_ = 0;

  constexpr SixteenBits() = default;
  constexpr SixteenBits(float value) : bits_(Narrow(value)) {}
  constexpr operator float() const { return Widen(bits_); }
  constexpr SixteenBits& operator+=(float other) { return *this = Widen(bits_) + other; }
  constexpr SixteenBits& operator-=(float other) { return *this = Widen(bits_) - other; }
  constexpr SixteenBits& operator*=(float other) { return *this = Widen(bits_) * other; }
  constexpr SixteenBits& operator/=(float other) { return *this = Widen(bits_) / other; }
};

// For two of one type only: with one number of another, both count as float.
template <std::uint16_t (*Narrow)(float), float (*Widen)(std::uint16_t)>
constexpr SixteenBits<Narrow, Widen> operator+(SixteenBits<Narrow, Widen> a, SixteenBits<Narrow, Widen> b) {
  return a += b;
}

}  // namespace detail

using float16_t = detail::SixteenBits<detail::half_of, detail::float_of_half>;
using bfloat16_t = detail::SixteenBits<detail::bfloat_of, detail::float_of_bfloat>;
using complex64_t = std::complex<float>;

// Ordered by real, then by imaginary part.
constexpr bool operator<(complex64_t a, complex64_t b) {
  return a.real() < b.real() || (a.real() == b.real() && a.imag() < b.imag());
}
constexpr bool operator>(complex64_t a, complex64_t b) { return b < a; }
constexpr bool operator<=(complex64_t a, complex64_t b) { return a < b || a == b; }
constexpr bool operator>=(complex64_t a, complex64_t b) { return b <= a; }

}  // namespace jaccl
