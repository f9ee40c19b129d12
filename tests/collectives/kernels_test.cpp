#include <bit>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/half.hpp"
#include "kernels/reduce.hpp"
#include "support/catch.hpp"

using namespace jackal::collectives;
using jackal::Op;

namespace {

template <class T>
T sum_of(Dtype dtype, T a, T b) {
  kernel_of(Op::sum, dtype).pair(&a, &b, &a, 1);
  return a;
}

// What float16 `bits` stands for, from the definition of the format.
double value_of_float16(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace

TEST_CASE("every float16 becomes the float that it stands for, and comes back") {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = float_from_float16(half);
    if ((bits & 0x7c00) != 0x7c00 && static_cast<double>(value) != value_of_float16(half)) FAIL(bits);
    if ((bits & 0x7fff) > 0x7c00) {
      if (!std::isnan(value) || !std::isnan(float_from_float16(float16_from_float(value)))) FAIL(bits);
    } else if (float16_from_float(value) != half) {
      FAIL(bits);
    }
  }
  CHECK(float_from_float16(0x7c00) == std::numeric_limits<float>::infinity());
}

TEST_CASE("a float rounds to the nearest float16, ties to even") {
  for (std::uint16_t half = 0; half < 0x7bff; ++half) {
    const auto above = static_cast<std::uint16_t>(half + 1);
    const auto middle =
        static_cast<float>((value_of_float16(half) + value_of_float16(above)) / 2);  // exact in float
    const std::uint16_t even = half % 2 == 0 ? half : above;
    if (float16_from_float(middle) != even) FAIL(half);
    if (float16_from_float(std::nextafter(middle, 0.0F)) != half) FAIL(half);
    if (float16_from_float(std::nextafter(middle, 1e9F)) != above) FAIL(half);
    if (float16_from_float(-middle) != (even | 0x8000)) FAIL(half);
  }
  CHECK(float16_from_float(65519.996F) == 0x7bff);
  CHECK(float16_from_float(65520.0F) == 0x7c00);
  CHECK(float16_from_float(1e30F) == 0x7c00);
  CHECK(float16_from_float(1e-30F) == 0);
}

TEST_CASE("a float rounds to the nearest bfloat16, ties to even, and NaN stays NaN") {
  CHECK(bfloat16_from_float(1.0F) == 0x3f80);
  CHECK(bfloat16_from_float(std::bit_cast<float>(0x3f808000U)) == 0x3f80);
  CHECK(bfloat16_from_float(std::bit_cast<float>(0x3f818000U)) == 0x3f82);
  CHECK(bfloat16_from_float(std::bit_cast<float>(0x3f808001U)) == 0x3f81);
  CHECK(bfloat16_from_float(std::numeric_limits<float>::max()) == 0x7f80);
  CHECK(std::isnan(float_from_bfloat16(bfloat16_from_float(std::bit_cast<float>(0x7f800001U)))));
}

TEST_CASE("integers wrap") {
  CHECK(sum_of<std::int8_t>(Dtype::int8, 127, 1) == -128);
  CHECK(sum_of<std::int16_t>(Dtype::int16, -32768, -1) == 32767);
  CHECK(sum_of<std::int32_t>(Dtype::int32, 2147483647, 1) == std::numeric_limits<std::int32_t>::min());
  CHECK(sum_of(Dtype::int64, std::numeric_limits<std::int64_t>::max(), std::int64_t{1}) ==
        std::numeric_limits<std::int64_t>::min());
  CHECK(sum_of<std::uint8_t>(Dtype::uint8, 255, 2) == 1);
  CHECK(sum_of<std::uint16_t>(Dtype::uint16, 65535, 2) == 1);
  CHECK(sum_of<std::uint32_t>(Dtype::uint32, 4294967295U, 2) == 1);
  CHECK(sum_of(Dtype::uint64, ~std::uint64_t{0}, std::uint64_t{2}) == 1);
}

TEST_CASE("bool is or, complex adds both parts, floats follow IEEE") {
  CHECK(sum_of<std::uint8_t>(Dtype::bool_, 1, 1) == 1);
  CHECK(sum_of<std::uint8_t>(Dtype::bool_, 0, 1) == 1);
  CHECK(sum_of<std::uint8_t>(Dtype::bool_, 0, 0) == 0);
  CHECK(sum_of(Dtype::complex64, std::complex<float>(1, 2), std::complex<float>(3, -5)) ==
        std::complex<float>(4, -3));
  CHECK(sum_of(Dtype::float32, 16777216.0F, 1.0F) == 16777216.0F);
  CHECK(sum_of(Dtype::float64, 16777216.0, 1.0) == 16777217.0);
  CHECK(std::isnan(sum_of(Dtype::float32, std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity())));
}

TEST_CASE("half types add in float32 and round each sum once") {
  // 2048 + 1 is a tie between 2048 and 2050 in float16; 2050 + 1 one between 2050 and 2052.
  CHECK(sum_of(Dtype::float16, float16_from_float(2048), float16_from_float(1)) == float16_from_float(2048));
  CHECK(sum_of(Dtype::float16, float16_from_float(2050), float16_from_float(1)) == float16_from_float(2052));
  CHECK(sum_of(Dtype::float16, float16_from_float(65504), float16_from_float(65504)) == 0x7c00);
  CHECK(sum_of(Dtype::bfloat16, bfloat16_from_float(256), bfloat16_from_float(1)) ==
        bfloat16_from_float(256));
  CHECK(sum_of(Dtype::bfloat16, bfloat16_from_float(258), bfloat16_from_float(1)) ==
        bfloat16_from_float(260));
}

TEST_CASE("every type has its size and its name") {
  CHECK(dtype_size(Dtype::bool_) == 1);
  CHECK(dtype_size(Dtype::bfloat16) == 2);
  CHECK(dtype_size(Dtype::complex64) == 8);
  CHECK(std::string(dtype_name(Dtype::float16)) == "float16");
  CHECK(dtype_size(static_cast<Dtype>(14)) == 0);
  CHECK(dtype_size(static_cast<Dtype>(-1)) == 0);
  CHECK(std::string(dtype_name(static_cast<Dtype>(14))) == "an unknown type");
}
