// float16_t, bfloat16_t and complex64_t against the definitions of the formats.
#include "jaccl/types.h"

#include <cmath>
#include <limits>
#include <sstream>
#include <type_traits>
#include <vector>

#include "collectives/elements.hpp"
#include "support/catch.hpp"

using jaccl::bfloat16_t;
using jaccl::complex64_t;
using jaccl::float16_t;
using namespace jackal::collectives;

namespace {

static_assert(sizeof(float16_t) == 2 && sizeof(bfloat16_t) == 2 && sizeof(complex64_t) == 8);
static_assert(std::is_trivially_copyable_v<float16_t> && std::is_trivially_copyable_v<bfloat16_t>);
static_assert(static_cast<float>(float16_t(1.5F)) == 1.5F && float16_t(1.0F).bits_ == 0x3c00);

template <class T>
constexpr Format kFormat = std::is_same_v<T, float16_t> ? kFloat16 : kBfloat16;
template <class T>
constexpr jackal::Dtype kDtype =
    std::is_same_v<T, float16_t> ? jackal::Dtype::float16 : jackal::Dtype::bfloat16;

template <class T>
T of_bits(std::uint32_t bits) {
  T made;
  made.bits_ = static_cast<std::uint16_t>(bits);
  return made;
}

// All patterns from 0 to infinity, whose values ascend.
template <class T>
std::uint32_t infinity() {
  return kFormat<T>.infinity();
}

template <class T>
double number(std::uint32_t bits) {
  return is_nan(kFormat<T>, bits) ? std::numeric_limits<double>::quiet_NaN() : value_of(kFormat<T>, bits);
}

// Values of every kind, and some that need rounding when they are added.
template <class T>
std::vector<std::uint32_t> some_bits() {
  std::vector<std::uint32_t> bits = {0, 1, infinity<T>() - 1, infinity<T>(), infinity<T>() + 1};
  for (std::uint32_t one = 3; one < infinity<T>(); one += 1987) bits.push_back(one);
  for (std::size_t i = 0, positive = bits.size(); i < positive; ++i) bits.push_back(bits[i] | 0x8000);
  return bits;
}

}  // namespace

TEMPLATE_TEST_CASE("every pattern becomes the float that it stands for, and comes back", "", float16_t,
                   bfloat16_t) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto number = of_bits<TestType>(bits);
    const float value = number;
    if (is_nan(kFormat<TestType>, bits)) {
      const auto back = TestType(value);
      if (!std::isnan(value) || !std::isnan(static_cast<float>(back))) FAIL(bits);
      continue;
    }
    if (static_cast<double>(value) != value_of(kFormat<TestType>, bits)) FAIL(bits);
    if (std::signbit(value) != (bits >= 0x8000)) FAIL(bits);
    if (TestType(value).bits_ != bits) FAIL(bits);
  }
  SUCCEED();
}

TEMPLATE_TEST_CASE("a float between two of them becomes the nearer, and in the middle the even one", "",
                   float16_t, bfloat16_t) {
  constexpr Format format = kFormat<TestType>;
  for (std::uint32_t bits = 0; bits + 1 < infinity<TestType>(); ++bits) {
    const double middle = (value_of(format, bits) + value_of(format, bits + 1)) / 2;
    const auto exact = static_cast<float>(middle);
    if (static_cast<double>(exact) != middle) FAIL(bits);
    if (TestType(exact).bits_ != bits + bits % 2) FAIL(bits);
    if (TestType(std::nextafter(exact, 0.0F)).bits_ != bits) FAIL(bits);
    if (TestType(std::nextafter(exact, std::numeric_limits<float>::infinity())).bits_ != bits + 1) FAIL(bits);
    if (TestType(-exact).bits_ != ((bits + bits % 2) | 0x8000)) FAIL(bits);
  }
  SUCCEED();
}

TEST_CASE("what is beyond the largest is infinite from half a step on") {
  CHECK(float16_t(65519.99F).bits_ == 0x7bff);
  CHECK(float16_t(65520.0F).bits_ == 0x7c00);
  CHECK(float16_t(-1e30F).bits_ == 0xfc00);
  CHECK(float16_t(std::numeric_limits<float>::infinity()).bits_ == 0x7c00);
  CHECK(float16_t(1e-30F).bits_ == 0);
  CHECK(float16_t(-1e-30F).bits_ == 0x8000);
  CHECK(bfloat16_t(std::numeric_limits<float>::max()).bits_ == 0x7f80);
  CHECK(bfloat16_t(-std::numeric_limits<float>::infinity()).bits_ == 0xff80);
  CHECK(std::isnan(static_cast<float>(float16_t(std::numeric_limits<float>::quiet_NaN()))));
}

TEMPLATE_TEST_CASE("sums are those of floats, rounded once", "", float16_t, bfloat16_t) {
  for (const std::uint32_t a : some_bits<TestType>())
    for (const std::uint32_t b : some_bits<TestType>()) {
      const auto expected = static_cast<std::uint32_t>(result_of(jackal::Op::sum, kDtype<TestType>, a, b));
      const auto sum = of_bits<TestType>(a) + of_bits<TestType>(b);
      static_assert(std::is_same_v<decltype(sum), const TestType>);
      auto added = of_bits<TestType>(a);
      added += of_bits<TestType>(b);
      CAPTURE(a, b);
      if (is_nan(kFormat<TestType>, expected)) {
        if (!std::isnan(static_cast<float>(sum)) || !std::isnan(static_cast<float>(added))) FAIL();
      } else if (sum.bits_ != expected || added.bits_ != expected) {
        FAIL(expected);
      }
    }
  SUCCEED();
}

TEMPLATE_TEST_CASE("comparisons are those of the values", "", float16_t, bfloat16_t) {
  const auto value = &number<TestType>;
  for (const std::uint32_t a : some_bits<TestType>())
    for (const std::uint32_t b : some_bits<TestType>()) {
      const auto x = of_bits<TestType>(a), y = of_bits<TestType>(b);
      const bool right = (x < y) == (value(a) < value(b)) && (x > y) == (value(a) > value(b)) &&
                         (x <= y) == (value(a) <= value(b)) && (x >= y) == (value(a) >= value(b)) &&
                         (x == y) == (value(a) == value(b)) && (x != y) == (value(a) != value(b));
      CAPTURE(a, b);
      if (!right) FAIL();
    }
  SUCCEED();
}

TEMPLATE_TEST_CASE("they mix with other numbers", "", float16_t, bfloat16_t) {
  TestType number = 2;
  number += 0.5F;
  CHECK(number == 2.5);
  CHECK(number > 2);
  CHECK(1 < number);
  number *= 2;
  number -= 1.0;
  number /= 4;
  CHECK(number == 1.0F);
  static_assert(std::is_same_v<decltype(number + 1.0F), float>);
  static_assert(std::is_same_v<decltype(number * number), float>);
  CHECK(number + 1 == 2);
  CHECK(-number == -1);
  CHECK(std::vector<TestType>(3)[2] == 0);
  std::ostringstream text;
  text << number;
  CHECK(text.str() == "1");
}

TEST_CASE("complex numbers are std::complex, ordered by real, then by imaginary part") {
  using jaccl::operator<, jaccl::operator>, jaccl::operator<=, jaccl::operator>=;
  static_assert(std::is_same_v<complex64_t, std::complex<float>>);
  const std::vector<complex64_t> ascending = {{-1, 9}, {0, -2}, {0, 3}, {1, -5}, {1, 0}};
  for (std::size_t i = 0; i < ascending.size(); ++i)
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      CAPTURE(i, j);
      CHECK((ascending[i] < ascending[j]) == (i < j));
      CHECK((ascending[i] > ascending[j]) == (i > j));
      CHECK((ascending[i] <= ascending[j]) == (i <= j));
      CHECK((ascending[i] >= ascending[j]) == (i >= j));
    }
  complex64_t sum = complex64_t(1, 2) + complex64_t(3, 4);
  sum += complex64_t(0.5F, -6);
  CHECK(sum == complex64_t(4.5F, 0));
}

TEST_CASE("no comparison with a complex NaN holds") {
  using jaccl::operator<, jaccl::operator>, jaccl::operator<=, jaccl::operator>=;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const complex64_t bad : {complex64_t(nan, 0), complex64_t(0, nan)}) {
    const complex64_t zero(0, 0);
    CHECK_FALSE((bad < zero || bad > zero || bad <= zero || bad >= zero || bad == zero));
  }
}
