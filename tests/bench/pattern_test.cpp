#include "bench/pattern.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <set>

#include "kernels/half.hpp"
#include "support/catch.hpp"

namespace jackal::bench {
namespace {

constexpr std::size_t kCount = 2500;

std::vector<std::byte> filled(const Pattern& pattern, Element element, std::uint64_t first = 0) {
  std::vector<std::byte> bytes(kCount * bytes_of(element));
  pattern.fill(bytes.data(), kCount, first);
  return bytes;
}

/// The sum of all ranks' operands of a 16-bit type, rounded to the type after each, from rank `first` on.
std::vector<std::uint16_t> rounded_sum(Element element, Reduction reduction, int ranks, int first) {
  const bool brain = element == Element::bfloat16;
  const auto wide = brain ? collectives::float_from_bfloat16 : collectives::float_from_float16;
  const auto narrow = brain ? collectives::bfloat16_from_float : collectives::float16_from_float;
  std::vector<std::uint16_t> sum(kCount), operand(kCount);
  for (int i = 0; i < ranks; ++i) {
    Pattern::operand(element, reduction, ranks, (first + i) % ranks).fill(operand.data(), kCount);
    for (std::size_t place = 0; place < kCount; ++place) {
      const float value = wide(operand[place]);
      sum[place] = i == 0                            ? operand[place]
                   : reduction == Reduction::product ? narrow(wide(sum[place]) * value)
                                                     : narrow(wide(sum[place]) + value);
    }
  }
  if (reduction == Reduction::average) {
    for (auto& value : sum) value = narrow(wide(value) / static_cast<float>(ranks));
  }
  return sum;
}

}  // namespace

TEST_CASE("what was filled is right, and every changed element is wrong") {
  for (const Element element : {Element::bool_, Element::int16, Element::bfloat16, Element::complex64}) {
    INFO(name_of(element));
    const Pattern pattern = Pattern::message(element, 7);
    auto bytes = filled(pattern, element);
    CHECK(pattern.wrong(bytes.data(), kCount) == 0);
    bytes.front() ^= std::byte{1};
    bytes.back() ^= std::byte{1};
    bytes[1300 * bytes_of(element)] ^= std::byte{1};
    CHECK(pattern.wrong(bytes.data(), kCount) == 3);
  }
}

TEST_CASE("a part of the row that lies elsewhere is wrong") {
  const Pattern pattern = Pattern::operand(Element::float32, Reduction::sum, 4, 1);
  const auto bytes = filled(pattern, Element::float32, 1000);
  CHECK(pattern.wrong(bytes.data(), kCount, 1000) == 0);
  CHECK(pattern.wrong(bytes.data(), kCount, 1024) > kCount / 2);
  CHECK(pattern.wrong(bytes.data(), kCount) > kCount / 2);
}

TEST_CASE("messages of different keys differ, and bools stay bools") {
  std::set<std::vector<std::byte>> rows;
  for (const std::uint64_t key : {0u, 1u, 2u, 3u})
    rows.insert(filled(Pattern::message(Element::uint8, key), Element::uint8));
  CHECK(rows.size() == 4);
  for (const std::byte value : filled(Pattern::message(Element::bool_, 5), Element::bool_)) {
    REQUIRE(std::to_integer<int>(value) <= 1);
  }
}

TEST_CASE("sums, products and averages of half-precision numbers are exact in any order of the ranks") {
  for (const Element element : {Element::float16, Element::bfloat16}) {
    for (const Reduction reduction : {Reduction::sum, Reduction::product, Reduction::average}) {
      for (const int ranks : {1, 2, 3, 7, 8, 64, 100, 300}) {
        INFO(name_of(element) << " " << name_of(reduction) << " of " << ranks);
        const Pattern expected = Pattern::result(element, reduction, ranks);
        for (const int first : {0, ranks / 2}) {
          const auto sum = rounded_sum(element, reduction, ranks, first);
          CHECK(expected.wrong(sum.data(), kCount) == 0);
        }
      }
    }
  }
}

TEST_CASE("a rank that is left out, or counted twice, shows") {
  for (const int ranks : {2, 4, 8}) {
    std::vector<float> sum(kCount), operand(kCount);
    for (int rank = 1; rank < ranks; ++rank) {
      Pattern::operand(Element::float32, Reduction::sum, ranks, rank).fill(operand.data(), kCount);
      for (std::size_t i = 0; i < kCount; ++i) sum[i] += operand[i];
    }
    const Pattern expected = Pattern::result(Element::float32, Reduction::sum, ranks);
    CHECK(expected.wrong(sum.data(), kCount) > kCount / 2);
    Pattern::operand(Element::float32, Reduction::sum, ranks, 0).fill(operand.data(), kCount);
    for (std::size_t i = 0; i < kCount; ++i) sum[i] += operand[i];
    CHECK(expected.wrong(sum.data(), kCount) == 0);
  }
}

TEST_CASE("whole numbers of a byte wrap in the expected result") {
  constexpr int kRanks = 100;
  std::vector<std::uint8_t> sum(kCount), operand(kCount);
  for (int rank = 0; rank < kRanks; ++rank) {
    Pattern::operand(Element::uint8, Reduction::sum, kRanks, rank).fill(operand.data(), kCount);
    for (std::size_t i = 0; i < kCount; ++i) sum[i] = static_cast<std::uint8_t>(sum[i] + operand[i]);
  }
  CHECK(Pattern::result(Element::uint8, Reduction::sum, kRanks).wrong(sum.data(), kCount) == 0);
}

TEST_CASE("bools are now all equal, now not, for both kinds of reduction") {
  for (const Reduction reduction : {Reduction::sum, Reduction::min}) {
    std::vector<std::uint8_t> expected(kCount);
    Pattern::result(Element::bool_, reduction, 4).fill(expected.data(), kCount);
    CHECK(std::set<std::uint8_t>(expected.begin(), expected.end()) == std::set<std::uint8_t>{0, 1});
  }
}

TEST_CASE("the sign of a complex zero does not count") {
  const Pattern expected = Pattern::result(Element::complex64, Reduction::product, 4);
  std::vector<float> numbers(2 * kCount);
  expected.fill(numbers.data(), kCount);
  for (float& number : numbers) number = number == 0 ? -number : number;
  CHECK(expected.wrong(numbers.data(), kCount) == 0);
  numbers[4] += 1;
  CHECK(expected.wrong(numbers.data(), kCount) == 1);
}

}  // namespace jackal::bench
