// The reference itself, on values that a person can check.
#include "collectives/matrix/reference.hpp"

#include <cmath>
#include <cstring>
#include <set>

#include "collectives/matrix/diary.hpp"
#include "support/catch.hpp"

using matrix::Bytes;
using matrix::Dtype;
using matrix::Op;
using matrix::Pattern;
using matrix::Values;

namespace {

template <class T>
Bytes bytes_of(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <class T>
bool right(Dtype dtype, Op op, Values values, const std::vector<std::vector<T>>& parts,
           const std::vector<T>& got) {
  std::vector<Bytes> all;
  for (const auto& part : parts) all.push_back(bytes_of(part));
  return matrix::problem_of({1, dtype, op, values}, all, bytes_of(got)).empty();
}

long double number(Dtype dtype, std::uint64_t bits) {
  std::byte bytes[8];
  std::memcpy(bytes, &bits, sizeof bits);
  return matrix::number(dtype, bytes);
}

}  // namespace

TEST_CASE("the reference reads floating-point numbers by their bits") {
  CHECK(number(Dtype::float16, 0x3c00) == 1);
  CHECK(number(Dtype::float16, 0xc500) == -5);
  CHECK(number(Dtype::float16, 0x0001) == std::ldexp(1.0L, -24));
  CHECK(number(Dtype::float16, 0x7bff) == 65504);
  CHECK(std::isinf(number(Dtype::float16, 0x7c00)));
  CHECK(std::isnan(number(Dtype::bfloat16, 0x7fc0)));
  CHECK(number(Dtype::bfloat16, 0x4049) == 3.140625);
  for (const float value : {0.1F, -3e38F, 1e-40F}) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    CHECK(number(Dtype::float32, bits) == static_cast<long double>(value));
  }
  const double value = -1.7976931348623157e308;
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  CHECK(number(Dtype::float64, bits) == static_cast<long double>(value));
}

TEST_CASE("the reference wraps integers and takes bool as logic") {
  using Parts = std::vector<std::vector<std::uint8_t>>;
  CHECK(right<std::uint8_t>(Dtype::uint8, Op::sum, Values::any, Parts{{200}, {100}}, {44}));
  CHECK_FALSE(right<std::uint8_t>(Dtype::uint8, Op::sum, Values::any, Parts{{200}, {100}}, {255}));
  CHECK(right<std::uint8_t>(Dtype::uint8, Op::bit_and, Values::any, Parts{{6}, {3}}, {2}));
  CHECK(right<std::int8_t>(Dtype::int8, Op::product, Values::any, {{100}, {3}}, {44}));
  CHECK(right<std::int8_t>(Dtype::int8, Op::min, Values::any, {{100}, {-3}}, {-3}));
  CHECK(right<std::uint8_t>(Dtype::bool_, Op::sum, Values::any, Parts{{1, 1, 0}, {1, 0, 0}}, {1, 1, 0}));
  CHECK(right<std::uint8_t>(Dtype::bool_, Op::product, Values::any, Parts{{1, 1, 0}, {1, 0, 0}}, {1, 0, 0}));
  CHECK_FALSE(right<std::uint8_t>(Dtype::bool_, Op::max, Values::any, Parts{{1}, {1}}, {2}));
}

TEST_CASE("the reference allows floating-point results their roundings and no more") {
  const std::vector<std::vector<float>> parts = {{1.0F}, {0x1p-24F}, {0x1p-24F}};
  CHECK(right<float>(Dtype::float32, Op::sum, Values::any, parts, {1.0F}));
  CHECK(right<float>(Dtype::float32, Op::sum, Values::any, parts, {1.0F + 0x1p-23F}));
  CHECK_FALSE(right<float>(Dtype::float32, Op::sum, Values::any, parts, {1.0F + 0x1p-21F}));
  CHECK_FALSE(right<float>(Dtype::float32, Op::sum, Values::exact, parts, {1.0F}));
  CHECK(right<float>(Dtype::float32, Op::average, Values::any, {{1.0F}, {1.0F}, {0.0F}}, {2.0F / 3.0F}));
  CHECK_FALSE(right<float>(Dtype::float32, Op::average, Values::exact, {{3.0F}, {3.0F}}, {3.1F}));
}

TEST_CASE("in the reference a NaN wins, and min and max are exact") {
  const float nan = std::nanf("");
  CHECK(right<float>(Dtype::float32, Op::min, Values::special, {{nan}, {1.0F}}, {nan}));
  CHECK_FALSE(right<float>(Dtype::float32, Op::min, Values::special, {{nan}, {1.0F}}, {1.0F}));
  CHECK_FALSE(
      right<float>(Dtype::float32, Op::max, Values::any, {{2.0F}, {1.0F}}, {std::nextafter(2.0F, 3.0F)}));
  const float infinity = INFINITY;
  CHECK(right<float>(Dtype::float32, Op::sum, Values::special, {{infinity}, {-infinity}}, {nan}));
  CHECK(right<float>(Dtype::float32, Op::sum, Values::special, {{infinity}, {1.0F}}, {infinity}));
}

TEST_CASE("the reference multiplies complex numbers") {
  CHECK(right<float>(Dtype::complex64, Op::product, Values::exact, {{1, 1}, {1, -1}, {0, 1}}, {0, 2}));
  CHECK_FALSE(right<float>(Dtype::complex64, Op::product, Values::exact, {{1, 1}, {1, -1}, {0, 1}}, {2, 0}));
  CHECK(right<float>(Dtype::complex64, Op::sum, Values::exact, {{1, 1}, {1, -1}}, {2, 0}));
}

TEST_CASE("what ranks contribute differs by rank, seed and place, and any part of it can be asked for") {
  const Pattern pattern = {5, Dtype::float32, Op::sum, Values::any};
  const Bytes whole = matrix::elements(pattern, 2, 0, 100);
  const Bytes part = matrix::elements(pattern, 2, 40, 10);
  CHECK(std::equal(part.begin(), part.end(), whole.begin() + 160));
  CHECK(matrix::elements(pattern, 3, 0, 100) != whole);
  CHECK(matrix::elements({6, Dtype::float32, Op::sum, Values::any}, 2, 0, 100) != whole);
  std::set<long double> values;
  for (std::size_t i = 0; i < 100; ++i) values.insert(matrix::number(Dtype::float32, &whole[4 * i]));
  CHECK(values.size() > 95);
}

TEST_CASE("exact values are small integers, and special ones have what their name says") {
  bool seen_nan = false;
  bool seen_infinity = false;
  for (const Dtype dtype : {Dtype::float16, Dtype::bfloat16, Dtype::float32, Dtype::float64}) {
    const std::size_t width = matrix::size_of(dtype);
    const Bytes exact = matrix::elements({7, dtype, Op::sum, Values::exact}, 0, 0, 200);
    const Bytes special = matrix::elements({7, dtype, Op::max, Values::special}, 0, 0, 200);
    for (std::size_t i = 0; i < 200; ++i) {
      const long double value = matrix::number(dtype, &exact[i * width]);
      CHECK(std::fabs(value) <= 8);
      CHECK(value == std::floor(value));
      seen_nan |= std::isnan(matrix::number(dtype, &special[i * width]));
      seen_infinity |= std::isinf(matrix::number(dtype, &special[i * width]));
    }
  }
  CHECK(seen_nan);
  CHECK(seen_infinity);
}

TEST_CASE("diaries that differ, break off or tell of an error are problems") {
  matrix::Diary good;
  good.begin("a");
  good.done({5, ""});
  CHECK(matrix::problems({good.text(), good.text()}, {"", ""}).empty());
  matrix::Diary other;
  other.begin("a");
  other.done({6, ""});
  CHECK(matrix::problems({good.text(), other.text()}, {"", ""}) ==
        std::vector<std::string>{"rank 1: a: other bits than rank 0"});
  matrix::Diary wrong;
  wrong.begin("a");
  wrong.done({5, "element 3 is 1 instead of 2"});
  CHECK(matrix::problems({wrong.text()}, {""}) ==
        std::vector<std::string>{"rank 0: a: element 3 is 1 instead of 2"});
  matrix::Diary dead;
  CHECK(matrix::problems({good.text(), dead.text()}, {"", "signal 9"}) ==
        std::vector<std::string>{"rank 1: signal 9, last at nothing", "rank 1: did 0 things, rank 0 did 1"});
  matrix::Diary threw;
  threw.begin("b");
  threw.failed("a line\nbreak");
  CHECK(matrix::problems({threw.text()}, {""}) == std::vector<std::string>{"rank 0: b: threw a line break"});
}
