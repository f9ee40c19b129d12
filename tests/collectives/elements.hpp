// What the library is to compute, written without it: the documentation of Op, one element at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "error.hpp"

namespace jackal::collectives {

using Bytes = std::vector<std::byte>;

/// A 16-bit floating point format.
struct Format {
  int fraction_bits;
  int exponent_bits;
  std::uint32_t infinity() const { return ((1U << exponent_bits) - 1) << fraction_bits; }
};
inline constexpr Format kFloat16{10, 5};
inline constexpr Format kBfloat16{7, 8};

bool is_nan(Format format, std::uint32_t bits);
double value_of(Format format, std::uint32_t bits);
std::uint16_t bits_of(Format format, double value);  // to nearest, ties to even

/// a op b, as bits: the low dtype_size() bytes are the result.
std::uint64_t result_of(Op op, Dtype dtype, std::uint64_t a, std::uint64_t b);

/// The bits of element `i` of `bytes`, whose elements have `size` bytes.
std::uint64_t element(const Bytes& bytes, std::size_t size, std::size_t i);

/// result_of() every element.
Bytes expected_of(Op op, Dtype dtype, const Bytes& a, const Bytes& b);

/// Random bits, half of the elements made special: zeros, infinities, NaN, smallest and largest.
Bytes elements_of(Dtype dtype, std::size_t count, unsigned seed);

}  // namespace jackal::collectives
