// What every rank contributes to a call: a function of a seed, the rank and the place, so that anybody can
// work out anybody's elements without the library under test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "jackal/collectives.h"

namespace matrix {

using Bytes = std::vector<std::byte>;
using jackal::Dtype;
using jackal::Op;

enum class Values {
  any,      // finite, with all their bits; sums and products of 8 ranks stay finite
  exact,    // sums and products of 8 ranks are exact in every order
  special,  // also zeros of both signs, infinities, NaN, and where they do no harm subnormal numbers
};

struct Pattern {
  std::uint64_t seed = 0;
  Dtype dtype = Dtype::uint8;
  Op op = Op::sum;
  Values values = Values::any;
};

/// A number that looks random, from two.
std::uint64_t mixed(std::uint64_t a, std::uint64_t b);

/// Elements first … first + count - 1 of what `rank` contributes.
Bytes elements(const Pattern& pattern, int rank, std::size_t first, std::size_t count);

std::size_t size_of(Dtype dtype);
bool is_floating(Dtype dtype);  // complex64 too

/// How a floating-point number lies in its bits; complex64 is two of float32.
struct Format {
  int exponent_bits;
  int mantissa_bits;
  int bytes() const { return (1 + exponent_bits + mantissa_bits) / 8; }
  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
};
Format format_of(Dtype dtype);

/// The value of a float16, bfloat16, float32 or float64, or of one half of a complex64.
long double number(Dtype dtype, const std::byte* at);

}  // namespace matrix
