#include <array>
#include <atomic>
#include <complex>
#include <cstring>
#include <mutex>
#include <random>
#include <span>

#include "collectives/ranks.hpp"
#include "kernels/half.hpp"
#include "kernels/reduce.hpp"
#include "support/catch.hpp"

using jackal::Code;
using jackal::Dtype;
using jackal::Group;
using jackal::collectives::dtype_size;

namespace {

using Bytes = std::vector<std::byte>;

// What rank `rank` contributes: random bits, except that a bool is 0 or 1.
Bytes contribution(int rank, std::size_t count, Dtype dtype, unsigned seed) {
  std::mt19937 random(seed * 31 + static_cast<unsigned>(rank));
  Bytes bytes(count * dtype_size(dtype));
  for (std::byte& byte : bytes)
    byte = static_cast<std::byte>(random() & (dtype == Dtype::bool_ ? 1U : 0xffU));
  return bytes;
}

template <class T, class Add>
Bytes folded(std::vector<Bytes> all, Add add) {
  Bytes sum = all[0];
  for (std::size_t rank = 1; rank < all.size(); ++rank)
    for (std::size_t at = 0; at < sum.size(); at += sizeof(T)) {
      T a;
      T b;
      std::memcpy(&a, sum.data() + at, sizeof a);
      std::memcpy(&b, all[rank].data() + at, sizeof b);
      a = add(a, b);
      std::memcpy(sum.data() + at, &a, sizeof a);
    }
  return sum;
}

// The sum in rank order, written without the library's kernels.
Bytes expected_sum(int size, std::size_t count, Dtype dtype, unsigned seed) {
  namespace jc = jackal::collectives;
  std::vector<Bytes> all;
  for (int rank = 0; rank < size; ++rank) all.push_back(contribution(rank, count, dtype, seed));
  const auto plus = [](auto a, auto b) { return static_cast<decltype(a)>(a + b); };
  switch (dtype) {
    case Dtype::bool_:
      return folded<bool>(all, [](bool a, bool b) { return a || b; });
    case Dtype::int8:
    case Dtype::uint8:
      return folded<std::uint8_t>(all, plus);
    case Dtype::int16:
    case Dtype::uint16:
      return folded<std::uint16_t>(all, plus);
    case Dtype::int32:
    case Dtype::uint32:
      return folded<std::uint32_t>(all, plus);
    case Dtype::int64:
    case Dtype::uint64:
      return folded<std::uint64_t>(all, plus);
    case Dtype::float16:
      return folded<std::uint16_t>(all, [](std::uint16_t a, std::uint16_t b) {
        return jc::float16_from_float(jc::float_from_float16(a) + jc::float_from_float16(b));
      });
    case Dtype::bfloat16:
      return folded<std::uint16_t>(all, [](std::uint16_t a, std::uint16_t b) {
        return jc::bfloat16_from_float(jc::float_from_bfloat16(a) + jc::float_from_bfloat16(b));
      });
    case Dtype::float32:
      return folded<float>(all, plus);
    case Dtype::float64:
      return folded<double>(all, plus);
    case Dtype::complex64:
      return folded<std::complex<float>>(all, plus);
  }
  return {};
}

bool is_nan(const std::byte* at, Dtype dtype) {
  float single = 0;
  double twice = 0;
  std::uint16_t half = 0;
  std::memcpy(&half, at, 2);
  if (dtype == Dtype::float16) return (half & 0x7fff) > 0x7c00;
  if (dtype == Dtype::bfloat16) return (half & 0x7fff) > 0x7f80;
  if (dtype == Dtype::float64) std::memcpy(&twice, at, 8);
  if (dtype == Dtype::float32 || dtype == Dtype::complex64) std::memcpy(&single, at, 4);
  return single != single || twice != twice;
}

// Bit by bit, but for the payload of a NaN, which the two operands' order in a register decides.
bool same_values(const Bytes& a, const Bytes& b, Dtype dtype) {
  const std::size_t step = dtype == Dtype::complex64 ? 4 : dtype_size(dtype);
  if (a.size() != b.size()) return false;
  for (std::size_t at = 0; at < a.size(); at += step)
    if (std::memcmp(a.data() + at, b.data() + at, step) != 0 &&
        !(is_nan(a.data() + at, dtype) && is_nan(b.data() + at, dtype)))
      return false;
  return true;
}

// Every rank's result, to be compared bit by bit.
class Results {
public:
  void add(Bytes result) {
    const std::lock_guard lock(mutex_);
    results_.push_back(std::move(result));
  }
  bool identical() const {
    for (const Bytes& one : results_)
      if (one != results_[0]) return false;
    return true;
  }
  const Bytes& first() const { return results_[0]; }

private:
  std::mutex mutex_;
  std::vector<Bytes> results_;
};

Bytes all_sum(Group& group, std::size_t count, Dtype dtype, unsigned seed, bool in_place) {
  const Bytes in = contribution(group.rank(), count, dtype, seed);
  // One byte off, so that nothing is aligned.
  Bytes shifted(in.size() + 1);
  std::copy(in.begin(), in.end(), shifted.begin() + 1);
  Bytes out(in.size() + 1);
  group.all_sum(shifted.data() + 1, in_place ? shifted.data() + 1 : out.data() + 1, count, dtype);
  Bytes& result = in_place ? shifted : out;
  result.erase(result.begin());
  return result;
}

constexpr std::array kTypes = {Dtype::bool_,   Dtype::int8,     Dtype::int16,    Dtype::int32,
                               Dtype::int64,   Dtype::uint8,    Dtype::uint16,   Dtype::uint32,
                               Dtype::uint64,  Dtype::float16,  Dtype::bfloat16, Dtype::float32,
                               Dtype::float64, Dtype::complex64};

}  // namespace

TEST_CASE("all_sum of every type and size is right, in place and not, and bit-identical on every rank") {
  const int size = GENERATE(1, 2, 3, 4, 7);
  const ranks::Job job(size);
  struct Case {
    Dtype dtype;
    std::size_t count;
    bool in_place;
  };
  std::vector<Case> cases;
  for (const Dtype dtype : kTypes)
    for (const std::size_t count : {0U, 1U, 2U, 3U, 6U, 7U, 8U, 1001U})
      cases.push_back({dtype, count, cases.size() % 2 == 0});
  std::vector<Results> results(cases.size());
  ranks::run(job, [&](Group& group) {
    for (std::size_t i = 0; i < cases.size(); ++i)
      results[i].add(
          all_sum(group, cases[i].count, cases[i].dtype, static_cast<unsigned>(i), cases[i].in_place));
  });
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO("ranks " << size << ", type " << static_cast<int>(cases[i].dtype) << ", count " << cases[i].count);
    CHECK(results[i].identical());
    CHECK(same_values(results[i].first(),
                      expected_sum(size, cases[i].count, cases[i].dtype, static_cast<unsigned>(i)),
                      cases[i].dtype));
  }
}

TEST_CASE("a vector of several slices is summed right, in place and not") {
  const bool in_place = GENERATE(false, true);
  const std::size_t count = 3 * 65536 * 3 + 5;  // three slices of 256 KiB a rank, and a bit
  Results results;
  ranks::run(ranks::Job(3),
             [&](Group& group) { results.add(all_sum(group, count, Dtype::float32, 1, in_place)); });
  CHECK(results.identical());
  CHECK(same_values(results.first(), expected_sum(3, count, Dtype::float32, 1), Dtype::float32));
}

TEST_CASE("floating-point sums are the same from run to run") {
  const auto once = [] {
    Results results;
    ranks::run(ranks::Job(4),
               [&](Group& group) { results.add(all_sum(group, 10007, Dtype::float32, 5, false)); });
    return results.first();
  };
  CHECK(once() == once());
}

TEST_CASE("all_gather puts every rank's elements in rank order, in place or not") {
  const int size = GENERATE(1, 2, 5);
  const std::size_t count = GENERATE(as<std::size_t>{}, 0, 1, 1000, 100000);
  const bool in_place = GENERATE(false, true);
  Bytes expected;
  for (int rank = 0; rank < size; ++rank) {
    const Bytes part = contribution(rank, count, Dtype::int16, 9);
    expected.insert(expected.end(), part.begin(), part.end());
  }
  Results results;
  ranks::run(ranks::Job(size), [&](Group& group) {
    const Bytes in = contribution(group.rank(), count, Dtype::int16, 9);
    Bytes out(in.size() * static_cast<std::size_t>(size));
    if (in_place) std::copy(in.begin(), in.end(), out.begin());
    group.all_gather(in_place ? out.data() : in.data(), out.data(), count, Dtype::int16);
    results.add(out);
  });
  CHECK(results.identical());
  CHECK(results.first() == expected);
}

TEST_CASE("vectors, arrays and spans are summed and gathered as what they hold") {
  ranks::run(ranks::Job(2), [](Group& group) {
    const std::vector<float> mine = {1.5F, static_cast<float>(group.rank())};
    std::array<float, 2> sum{};
    group.all_sum(mine, sum);
    std::array<long, 1> number = {group.rank() + 7};
    std::vector<long> numbers(2);
    group.all_gather(number, std::span(numbers));
    if (sum != std::array{3.0F, 1.0F} || numbers != std::vector<long>{7, 8})
      throw std::runtime_error("wrong");
  });
}

TEST_CASE("nobody leaves a barrier before everybody has come") {
  const int size = 4;
  std::atomic<int> come = 0;
  std::atomic<bool> early = false;
  ranks::run(ranks::Job(size), [&](Group& group) {
    for (int round = 1; round <= 20; ++round) {
      ++come;
      group.barrier();
      if (come < size * round) early = true;
      group.barrier();
    }
  });
  CHECK_FALSE(early);
}

TEST_CASE("any sequence of operations is right") {
  const unsigned seed = GENERATE(1U, 2U, 3U);
  const int size = static_cast<int>(2 + seed);
  std::atomic<int> wrong = 0;
  ranks::run(ranks::Job(size), [&](Group& group) {
    std::mt19937 random(seed);  // the same on every rank
    for (unsigned i = 0; i < 60; ++i) {
      const Dtype dtype = kTypes[random() % kTypes.size()];
      const std::size_t count = random() % (random() % 4 == 0 ? 300000U : 300U);
      const auto kind = random() % 5;
      if (kind == 0) group.barrier();
      if (kind == 1) {
        const Bytes in = contribution(group.rank(), count, dtype, i);
        Bytes out(in.size() * static_cast<std::size_t>(size));
        group.all_gather(in.data(), out.data(), count, dtype);
        const int other = static_cast<int>(random()) & 1;
        const Bytes theirs = contribution(other, count, dtype, i);
        if (!std::equal(theirs.begin(), theirs.end(),
                        out.begin() + static_cast<std::ptrdiff_t>(in.size()) * other))
          ++wrong;
      }
      if (kind < 2) continue;
      const Bytes sum = all_sum(group, count, dtype, i, kind == 2);
      if (!same_values(sum, expected_sum(size, count, dtype, i), dtype)) ++wrong;
    }
  });
  CHECK(wrong == 0);
}

TEST_CASE("arguments that cannot be carried out are refused, and the group lives on") {
  ranks::run(ranks::Job(2), [](Group& group) {
    const auto refused = [](auto call) {
      try {
        call();
      } catch (const jackal::Error& error) {
        return error.code() == Code::invalid_argument;
      }
      return false;
    };
    std::vector<float> three(3);
    std::vector<float> four(4);
    const bool all_refused =
        refused([&] { group.all_sum(three, four); }) && refused([&] { group.all_gather(three, four); }) &&
        refused([&] { group.all_sum(nullptr, three.data(), 3, Dtype::float32); }) &&
        refused([&] { group.all_sum(three.data(), three.data(), 3, static_cast<Dtype>(99)); }) &&
        refused([&] { group.all_gather(three.data(), three.data(), ~std::size_t{0} / 8, Dtype::float64); });
    group.all_sum(three, three);
    if (!all_refused) throw std::runtime_error("not refused");
  });
}
