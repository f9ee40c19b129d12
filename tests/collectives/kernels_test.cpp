#include <hwy/targets.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <set>
#include <vector>

#include "collectives/elements.hpp"
#include "kernels/reduce.hpp"
#include "kernels/stream.hpp"
#include "support/catch.hpp"

using namespace jackal::collectives;

namespace {

constexpr int kDtypes = 14;
constexpr int kOps = 7;

// Runs `body` once for every instruction set that this processor has and the library was built for, and for
// the portable code.
void on_every_target(const std::function<void()>& body) {
  struct Restore {
    ~Restore() { hwy::GetChosenTarget().Update(hwy::SupportedTargets()); }
  } restore;
  std::set<std::string> seen;
  for (int bit = 62; bit >= 0; --bit) {
    const std::int64_t target = std::int64_t{1} << bit;
    if (bit != 62 && (hwy::SupportedTargets() & target) == 0) continue;
    hwy::GetChosenTarget().Update(target);
    if (!seen.insert(kernel_target()).second) continue;
    INFO("target " << kernel_target());
    body();
  }
  CHECK(seen.count("portable") == 1);
}

void on_every_pair(const std::function<void(Op, Dtype)>& body) {
  for (int op = 0; op < kOps; ++op)
    for (int dtype = 0; dtype < kDtypes; ++dtype)
      if (op_objection(static_cast<Op>(op), static_cast<Dtype>(dtype)).empty()) {
        INFO(op_name(static_cast<Op>(op)) << " of " << dtype_name(static_cast<Dtype>(dtype)));
        body(static_cast<Op>(op), static_cast<Dtype>(dtype));
      }
}

// `count` elements of `bytes` through the kernel, `shift` bytes off any alignment; what lies around the
// output must not change.
enum class Into { third, a, b };
Bytes combined(Kernel kernel, std::size_t size, Bytes a, Bytes b, std::size_t shift, Into into) {
  const std::size_t length = a.size();
  constexpr std::size_t kGuard = 80;
  const auto guarded = [&](const Bytes& bytes, std::size_t extra) {
    Bytes all(kGuard + extra, std::byte{0x5a});
    all.insert(all.end(), bytes.begin(), bytes.end());
    all.insert(all.end(), kGuard, std::byte{0xa5});
    return all;
  };
  Bytes left = guarded(a, shift);
  Bytes right = guarded(b, 2 * shift);
  Bytes fresh = guarded(Bytes(length), 3 * shift);
  std::byte* const from_a = left.data() + kGuard + shift;
  std::byte* const from_b = right.data() + kGuard + 2 * shift;
  Bytes& whole = into == Into::a ? left : into == Into::b ? right : fresh;
  std::byte* const out = into == Into::a   ? from_a
                         : into == Into::b ? from_b
                                           : whole.data() + kGuard + 3 * shift;
  kernel.pair(from_a, from_b, out, length / size);
  Bytes result(out, out + length);
  for (std::byte* byte = whole.data(); byte < out; ++byte)
    if (*byte != std::byte{0x5a}) FAIL("written before the output");
  for (std::byte* byte = out + length; byte < whole.data() + whole.size(); ++byte)
    if (*byte != std::byte{0xa5}) FAIL("written behind the output");
  return result;
}

}  // namespace

TEST_CASE("every operation on every type gives what the reference gives, wherever its operands lie") {
  for (const std::size_t count : {0U, 1U, 2U, 3U, 7U, 33U, 64U, 255U, 1000U}) {
    on_every_pair([&](Op op, Dtype dtype) {
      const std::size_t size = dtype_size(dtype);
      const Bytes a = elements_of(dtype, count, 1);
      const Bytes b = elements_of(dtype, count, 2);
      const Bytes expected = expected_of(op, dtype, a, b);
      on_every_target([&] {
        const Kernel kernel = kernel_of(op, dtype);
        for (const std::size_t shift : {0U, 1U, 5U})
          for (const Into into : {Into::third, Into::a, Into::b})
            if (combined(kernel, size, a, b, shift, into) != expected) FAIL(count << " elements, " << shift);
      });
    });
  }
}

TEST_CASE("every float16 and bfloat16 combines with every special one as the reference says") {
  const Op ops[] = {Op::sum, Op::product, Op::min, Op::max};
  for (const Dtype dtype : {Dtype::float16, Dtype::bfloat16}) {
    const auto infinity = static_cast<std::uint16_t>(dtype == Dtype::float16 ? 0x7c00 : 0x7f80);
    const auto one = static_cast<std::uint16_t>(dtype == Dtype::float16 ? 0x3c00 : 0x3f80);
    std::vector<std::uint16_t> specials;
    for (const int bits : {0, 1, 2, 0x3ff, 0x400, 0x80, 0x1400, one - 1, int{one}, one + 1, one + 0x3ff,
                           infinity - 2, infinity - 1, int{infinity}, infinity + 1, 0x7fff})
      for (const int sign : {0, 0x8000}) specials.push_back(static_cast<std::uint16_t>(bits | sign));
    Bytes a(specials.size() * 0x10000 * 2);
    Bytes b(a.size());
    for (std::size_t i = 0; i < a.size() / 2; ++i) {
      const auto any = static_cast<std::uint16_t>(i);
      std::memcpy(a.data() + 2 * i, &any, 2);
      std::memcpy(b.data() + 2 * i, &specials[i / 0x10000], 2);
    }
    for (const Op op : ops) {
      const Bytes expected = expected_of(op, dtype, a, b);
      const Bytes swapped = expected_of(op, dtype, b, a);
      on_every_target([&] {
        const Kernel kernel = kernel_of(op, dtype);
        Bytes out(a.size());
        kernel.pair(a.data(), b.data(), out.data(), a.size() / 2);
        if (out != expected) FAIL(op_name(op) << " of " << dtype_name(dtype));
        kernel.pair(b.data(), a.data(), out.data(), a.size() / 2);
        if (out != swapped) FAIL(op_name(op) << " of " << dtype_name(dtype) << ", swapped");
        if ((op == Op::min || op == Op::max) && expected != swapped) FAIL("depends on the order");
      });
    }
  }
}

TEST_CASE("many sources give the bits of one pair after the other") {
  constexpr std::size_t kCount = 301;
  on_every_pair([&](Op op, Dtype dtype) {
    std::vector<Bytes> sources;
    for (unsigned s = 0; s < 64; ++s) sources.push_back(elements_of(dtype, kCount, 100 + s));
    on_every_target([&] {
      const Kernel kernel = kernel_of(op, dtype);
      Bytes chain = sources[0];
      for (std::size_t s = 1; s <= 64; ++s) {
        const auto run = [&](void* out, const std::vector<Bytes>& from) {
          std::vector<const void*> pointers;
          for (std::size_t i = 0; i < s; ++i) pointers.push_back(from[i].data());
          kernel.many(pointers.data(), s, out, kCount);
        };
        if (s < 5 || s == 13 || s == 64) {
          Bytes out(chain.size());
          run(out.data(), sources);
          if (out != chain) FAIL(s << " sources");
          auto in_place = sources;
          run(in_place[s / 2].data(), in_place);
          if (in_place[s / 2] != chain) FAIL(s << " sources, in place");
        }
        if (s < 64) kernel.pair(chain.data(), sources[s].data(), chain.data(), kCount);
      }
    });
  });
}

TEST_CASE("outputs that bypass the cache hold the same bits") {
  constexpr std::size_t kPiece = kStreamBlock / sizeof(float) + 3;
  const std::size_t count = kStreamBytes / sizeof(float) + 1003;
  const Bytes a = elements_of(Dtype::float32, count, 5);
  const Bytes b = elements_of(Dtype::float32, count, 6);
  on_every_target([&] {
    const Kernel kernel = kernel_of(Op::sum, Dtype::float32);
    const Kernel blocks = kernel_of(Op::sum, Dtype::float32, a.size());
    Bytes pieces(a.size());
    for (std::size_t at = 0; at < count; at += kPiece)
      kernel.pair(a.data() + 4 * at, b.data() + 4 * at, pieces.data() + 4 * at, std::min(kPiece, count - at));
    for (const std::size_t shift : {0U, 4U, 6U}) {
      Bytes whole(a.size() + 16, std::byte{0x5a});
      kernel.pair(a.data(), b.data(), whole.data() + shift, count);
      if (std::memcmp(whole.data() + shift, pieces.data(), pieces.size()) != 0) FAIL("shift " << shift);
      std::fill_n(whole.begin() + static_cast<std::ptrdiff_t>(shift), a.size(), std::byte{0});
      for (std::size_t at = 0; at < count; at += kPiece)
        blocks.pair(a.data() + 4 * at, b.data() + 4 * at, whole.data() + shift + 4 * at,
                    std::min(kPiece, count - at));
      if (std::memcmp(whole.data() + shift, pieces.data(), pieces.size()) != 0) FAIL("shift " << shift);
      for (std::size_t i = 0; i < shift; ++i) CHECK(whole[i] == std::byte{0x5a});
      for (std::size_t i = shift + a.size(); i < whole.size(); ++i) CHECK(whole[i] == std::byte{0x5a});
    }
  });
}

TEST_CASE("copies are exact, around the size where they bypass the cache and at any alignment") {
  const Bytes from = elements_of(Dtype::uint8, kStreamBytes + 2100, 7);
  on_every_target([&] {
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{4097}, kStreamBlock,
                                    kStreamBlock + 900, kStreamBytes - 1, kStreamBytes, kStreamBytes + 2047})
      for (const std::size_t shift : {0U, 1U, 17U}) {
        Bytes to(bytes + 64, std::byte{0x5a});
        copy(to.data() + shift, from.data() + 3 * shift, bytes);
        if (bytes > 0 && std::memcmp(to.data() + shift, from.data() + 3 * shift, bytes) != 0) FAIL(bytes);
        std::memset(to.data() + shift, 0, bytes);
        copy(to.data() + shift, from.data() + 3 * shift, bytes, kStreamBytes);
        if (bytes > 0 && std::memcmp(to.data() + shift, from.data() + 3 * shift, bytes) != 0) FAIL(bytes);
        for (std::size_t i = shift + bytes; i < to.size(); ++i) CHECK(to[i] == std::byte{0x5a});
      }
  });
  copy(nullptr, nullptr, 0);
}

TEST_CASE("dividing rounds each element once, and both parts of complex ones") {
  for (const std::size_t count : {0U, 1U, 5U, 67U, 300U})
    for (const Dtype dtype :
         {Dtype::float16, Dtype::bfloat16, Dtype::float32, Dtype::float64, Dtype::complex64})
      for (const int ranks : {1, 2, 3, 7, 64}) {
        const Bytes data = elements_of(dtype, count, 8);
        const std::size_t lane = dtype == Dtype::complex64 ? 4 : dtype_size(dtype);
        Bytes expected(data.size());
        for (std::size_t i = 0; i < data.size() / lane; ++i) {
          std::uint64_t bits = element(data, lane, i);
          if (lane == 2) {
            const Format format = dtype == Dtype::float16 ? kFloat16 : kBfloat16;
            const auto half = static_cast<std::uint16_t>(bits);
            const auto quotient = static_cast<float>(value_of(format, half)) / static_cast<float>(ranks);
            bits = is_nan(format, half) ? half | 1U << (format.fraction_bits - 1)
                                        : bits_of(format, static_cast<double>(quotient));
          } else if (lane == 4) {
            const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
            bits = std::isnan(value) ? bits | 1U << 22
                                     : std::bit_cast<std::uint32_t>(value / static_cast<float>(ranks));
          } else {
            const auto value = std::bit_cast<double>(bits);
            bits = std::isnan(value) ? bits | std::uint64_t{1} << 51
                                     : std::bit_cast<std::uint64_t>(value / static_cast<double>(ranks));
          }
          std::memcpy(expected.data() + i * lane, &bits, lane);
        }
        on_every_target([&] {
          Bytes shifted(1);
          shifted.insert(shifted.end(), data.begin(), data.end());
          divide(dtype, shifted.data() + 1, count, ranks);
          if (!std::equal(expected.begin(), expected.end(), shifted.begin() + 1)) FAIL(dtype_name(dtype));
        });
      }
}

TEST_CASE("operations take the types that the table gives them") {
  for (int d = 0; d < kDtypes; ++d) {
    const auto dtype = static_cast<Dtype>(d);
    const bool complex = dtype == Dtype::complex64;
    const bool floating = dtype >= Dtype::float16 && !complex;
    for (const Op op : {Op::sum, Op::product}) CHECK(op_objection(op, dtype).empty());
    for (const Op op : {Op::min, Op::max}) CHECK(op_objection(op, dtype).empty() == !complex);
    for (const Op op : {Op::bit_and, Op::bit_or})
      CHECK(op_objection(op, dtype).empty() == (!floating && !complex));
    CHECK(op_objection(Op::average, dtype).empty() == (floating || complex));
  }
  CHECK(op_objection(Op::average, Dtype::int8) ==
        "average of int8 is not defined; average takes floating point and complex64");
  CHECK(op_objection(static_cast<Op>(7), Dtype::int8) ==
        "no operation has the number 7; the numbers are 0 (sum) to 6 (average)");
  CHECK(op_objection(Op::sum, static_cast<Dtype>(-1)) ==
        "no type has the number -1; the numbers are 0 (bool) to 13 (complex64)");
}

TEST_CASE("every type has its size, every type and operation its name") {
  CHECK(dtype_size(Dtype::bool_) == 1);
  CHECK(dtype_size(Dtype::bfloat16) == 2);
  CHECK(dtype_size(Dtype::complex64) == 8);
  CHECK(dtype_size(static_cast<Dtype>(14)) == 0);
  CHECK(dtype_size(static_cast<Dtype>(-1)) == 0);
  CHECK(std::string(dtype_name(Dtype::float16)) == "float16");
  CHECK(std::string(dtype_name(static_cast<Dtype>(14))) == "an unknown type");
  CHECK(std::string(op_name(Op::bit_or)) == "bit_or");
  CHECK(std::string(op_name(static_cast<Op>(-1))) == "an unknown operation");
}
