#include "bench/pattern.hpp"

#include <algorithm>
#include <complex>
#include <cstring>

#include "kernels/half.hpp"

namespace jackal::bench {
namespace {

using Value = std::complex<double>;

std::uint32_t mixed(std::uint64_t key, std::uint64_t place) {
  auto x = static_cast<std::uint32_t>(place * 0x9e3779b1u + key * 0x85ebca77u + 0x165667b1u);
  x = (x ^ x >> 15) * 0x2c1b3c6du;
  x = (x ^ x >> 12) * 0x297a2d39u;
  return x ^ x >> 15;
}

// Whole numbers up to here, and sums that stay below, are exact in the type.
int exact_up_to(Element element) {
  if (element == Element::bfloat16) return 256;
  if (element == Element::float16) return 2048;
  return 1 << 20;
}

int rounded_up(int dividend, int divisor) { return (dividend + divisor - 1) / divisor; }

/// Of `ranks`, those that contribute something at `place`: every stride-th, another one at each place.
bool takes_part(int rank, std::uint64_t place, int stride) {
  return (static_cast<std::uint64_t>(rank) + place) % static_cast<std::uint64_t>(stride) == 0;
}

int summand(Element element, int ranks, int rank, std::uint64_t place) {
  const int stride = rounded_up(3 * ranks, exact_up_to(element) - 3);
  return takes_part(rank, place, stride)
             ? static_cast<int>(mixed(static_cast<std::uint64_t>(rank), place) % 4)
             : 0;
}

// A multiple of the number of ranks, so that the sum is one, too.
int share(Element element, int ranks, int rank, std::uint64_t place) {
  const int limit = exact_up_to(element);
  const int most = 3 * ranks <= limit ? 3 : ranks <= limit ? 1 : 0;
  const int stride = most == 0 ? 1 : rounded_up(ranks, limit / (most * ranks));
  if (!takes_part(rank, place, stride)) return 0;
  return ranks * static_cast<int>(mixed(static_cast<std::uint64_t>(rank), place) %
                                  static_cast<std::uint32_t>(most + 1));
}

/// At most eight ranks contribute a factor of 2, or of 1 + i.
Value factor(Element element, int ranks, int rank, std::uint64_t place) {
  const bool twice = takes_part(rank, place, rounded_up(ranks, 8)) &&
                     mixed(static_cast<std::uint64_t>(rank), place) % 2 == 1;
  if (!twice) return 1;
  return element == Element::complex64 ? Value(1, 1) : Value(2);
}

int truth(Reduction reduction, int ranks, int rank, std::uint64_t place) {
  const bool any =
      reduction == Reduction::sum || reduction == Reduction::max || reduction == Reduction::bit_or;
  const bool odd_one =
      mixed(0, place) % (2 * static_cast<std::uint32_t>(ranks)) == static_cast<std::uint32_t>(rank);
  return odd_one == any ? 1 : 0;
}

Value contribution(Element element, Reduction reduction, int ranks, int rank, std::uint64_t place) {
  if (element == Element::bool_) return truth(reduction, ranks, rank, place);
  const auto key = static_cast<std::uint64_t>(rank);
  const int bit = static_cast<int>(mixed(key, place) % 2) << rank % 7;
  switch (reduction) {
    case Reduction::sum: {
      const double imaginary = element == Element::complex64 ? summand(element, ranks, rank, place + 1) : 0;
      return {static_cast<double>(summand(element, ranks, rank, place)), imaginary};
    }
    case Reduction::product:
      return factor(element, ranks, rank, place);
    case Reduction::min:
    case Reduction::max:
      return mixed(key, place) % 100;
    case Reduction::bit_and:
      return 127 - bit;
    case Reduction::bit_or:
      return bit;
    case Reduction::average: {
      const double imaginary = element == Element::complex64 ? share(element, ranks, rank, place + 1) : 0;
      return {static_cast<double>(share(element, ranks, rank, place)), imaginary};
    }
  }
  return 0;
}

Value combined(Element element, Reduction reduction, Value a, Value b) {
  const auto bits = [](Value value) { return static_cast<std::int64_t>(value.real()); };
  const bool is_bool = element == Element::bool_;
  switch (reduction) {
    case Reduction::sum:
      return is_bool ? std::max(a.real(), b.real()) : a + b;
    case Reduction::average:
      return a + b;
    case Reduction::product:
      return a * b;
    case Reduction::min:
      return std::min(a.real(), b.real());
    case Reduction::max:
      return std::max(a.real(), b.real());
    case Reduction::bit_and:
      return static_cast<double>(bits(a) & bits(b));
    case Reduction::bit_or:
      return static_cast<double>(bits(a) | bits(b));
  }
  return 0;
}

template <class T>
void put(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

/// Whole numbers of one byte wrap, as the library's do.
void store(std::byte* to, Element element, Value value) {
  const double real = value.real();
  switch (element) {
    case Element::float16:
      return put(to, collectives::float16_from_float(static_cast<float>(real)));
    case Element::bfloat16:
      return put(to, collectives::bfloat16_from_float(static_cast<float>(real)));
    case Element::float32:
      return put(to, static_cast<float>(real));
    case Element::float64:
      return put(to, real);
    case Element::complex64:
      return put(to, std::complex<float>(value));
    default:
      break;
  }
  const auto bits = static_cast<std::uint64_t>(real);
  switch (bytes_of(element)) {
    case 1:
      return put(to, static_cast<std::uint8_t>(bits));
    case 2:
      return put(to, static_cast<std::uint16_t>(bits));
    case 4:
      return put(to, static_cast<std::uint32_t>(bits));
    default:
      return put(to, bits);
  }
}

/// Two periods of what `put_element(to, place)` makes.
template <class PutElement>
std::vector<std::byte> two_periods(Element element, PutElement put_element) {
  const std::size_t size = bytes_of(element);
  std::vector<std::byte> bytes(2 * Pattern::kPeriod * size);
  for (std::size_t place = 0; place < Pattern::kPeriod; ++place) put_element(&bytes[place * size], place);
  std::copy_n(bytes.begin(), Pattern::kPeriod * size,
              bytes.begin() + static_cast<std::ptrdiff_t>(Pattern::kPeriod * size));
  return bytes;
}

}  // namespace

Pattern Pattern::operand(Element element, Reduction reduction, int ranks, int rank) {
  return {element, two_periods(element, [&](std::byte* to, std::size_t place) {
            store(to, element, contribution(element, reduction, ranks, rank, place));
          })};
}

Pattern Pattern::result(Element element, Reduction reduction, int ranks) {
  return {element, two_periods(element, [&](std::byte* to, std::size_t place) {
            Value value = contribution(element, reduction, ranks, 0, place);
            for (int rank = 1; rank < ranks; ++rank) {
              value =
                  combined(element, reduction, value, contribution(element, reduction, ranks, rank, place));
            }
            if (reduction == Reduction::average) value /= ranks;
            store(to, element, value);
          })};
}

Pattern Pattern::message(Element element, std::uint64_t key) {
  const std::size_t size = bytes_of(element);
  return {element, two_periods(element, [&](std::byte* to, std::size_t place) {
            for (std::size_t byte = 0; byte < size; ++byte) {
              const std::uint32_t value = mixed(key, place * size + byte);
              to[byte] = static_cast<std::byte>(element == Element::bool_ ? value % 2 : value % 256);
            }
          })};
}

void Pattern::fill(void* buffer, std::uint64_t count, std::uint64_t first) const {
  const std::size_t size = bytes_of(element_);
  auto* to = static_cast<std::byte*>(buffer);
  const std::byte* from = &bytes_[first % kPeriod * size];
  for (std::uint64_t done = 0; done < count; done += kPeriod) {
    const std::size_t bytes = std::min<std::uint64_t>(kPeriod, count - done) * size;
    std::memcpy(to + done * size, from, bytes);
  }
}

std::uint64_t Pattern::wrong(const void* buffer, std::uint64_t count, std::uint64_t first) const {
  const std::size_t size = bytes_of(element_);
  const auto* got = static_cast<const std::byte*>(buffer);
  const std::byte* expected = &bytes_[first % kPeriod * size];
  std::uint64_t wrong = 0;
  for (std::uint64_t done = 0; done < count; done += kPeriod) {
    const std::size_t elements = std::min<std::uint64_t>(kPeriod, count - done);
    if (same(got + done * size, expected, elements)) continue;
    for (std::size_t i = 0; i < elements; ++i) {
      if (!same(got + (done + i) * size, expected + i * size, 1)) ++wrong;
    }
  }
  return wrong;
}

bool Pattern::same(const std::byte* one, const std::byte* other, std::size_t elements) const {
  if (std::memcmp(one, other, elements * bytes_of(element_)) == 0) return true;
  if (element_ != Element::complex64) return false;
  // The order of complex factors decides the sign of a zero.
  std::vector<float> a(2 * elements), b(2 * elements);
  std::memcpy(a.data(), one, a.size() * sizeof(float));
  std::memcpy(b.data(), other, b.size() * sizeof(float));
  return a == b;
}

}  // namespace jackal::bench
