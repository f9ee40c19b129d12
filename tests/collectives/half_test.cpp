#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/half.hpp"
#include "support/catch.hpp"

using namespace jackal::collectives;

namespace {

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
