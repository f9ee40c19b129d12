#include "collectives/matrix/reference.hpp"

#include <cmath>
#include <complex>
#include <cstring>
#include <limits>

namespace matrix {
namespace {

// A value, and how far from it a right result may be.
struct Expected {
  long double value = 0;
  long double bound = 0;
};

bool fits(const Expected& expected, long double got) {
  if (std::isnan(expected.value)) return std::isnan(got);
  if (std::isinf(expected.value)) return got == expected.value;
  return std::fabs(got - expected.value) <= expected.bound;
}

std::string described(std::size_t element, const std::string& got, const std::string& expected) {
  return "element " + std::to_string(element) + " is " + got + " instead of " + expected;
}

std::string text(long double value) {
  char written[64];
  std::snprintf(written, sizeof written, "%.21Lg", value);
  return written;
}

// The bound of `roundings` roundings, each off by half a unit in the last place at most (Higham's gamma).
long double gamma(Dtype dtype, std::size_t roundings) {
  const long double unit = std::ldexp(1.0L, -1 - format_of(dtype).mantissa_bits);
  const long double sum = static_cast<long double>(roundings) * unit;
  // Where long double is no wider than float64, this reference rounds as well.
  return (dtype == Dtype::float64 ? 2 : 1) * sum / (1 - sum);
}

long double smallest(Dtype dtype) {
  const Format format = format_of(dtype);
  return std::ldexp(1.0L, 1 - format.bias() - format.mantissa_bits);
}

Expected extreme(Op op, const std::vector<long double>& terms) {
  long double value = terms[0];
  for (const long double term : terms) {
    if (std::isnan(value) || std::isnan(term)) return {std::numeric_limits<long double>::quiet_NaN(), 0};
    value = op == Op::min ? std::fmin(value, term) : std::fmax(value, term);
  }
  return {value, 0};
}

Expected combined(const Pattern& pattern, const std::vector<long double>& terms) {
  const std::size_t roundings = terms.size() - 1;
  const bool exact = pattern.values == Values::exact;
  if (pattern.op == Op::min || pattern.op == Op::max) return extreme(pattern.op, terms);
  if (pattern.op == Op::product) {
    long double value = 1;
    for (const long double term : terms) value *= term;
    return {value, exact ? 0 : gamma(pattern.dtype, roundings) * std::fabs(value)};
  }
  long double value = 0;
  long double magnitude = 0;
  for (const long double term : terms) {
    value += term;
    magnitude += std::fabs(term);
  }
  Expected sum = {value, exact ? 0 : gamma(pattern.dtype, roundings) * magnitude};
  if (pattern.op == Op::sum) return sum;
  const auto ranks = static_cast<long double>(terms.size());
  sum.value /= ranks;
  sum.bound =
      sum.bound / ranks * (1 + gamma(pattern.dtype, 1)) + gamma(pattern.dtype, 1) * std::fabs(sum.value);
  // A quotient that is subnormal is off by half of the smallest number.
  if (!exact) sum.bound += smallest(pattern.dtype);
  return sum;
}

std::string real_problem(const Pattern& pattern, const std::vector<Bytes>& parts,
                         std::span<const std::byte> got) {
  const auto width = static_cast<std::size_t>(format_of(pattern.dtype).bytes());
  std::vector<long double> terms(parts.size());
  for (std::size_t at = 0; at < got.size(); at += width) {
    for (std::size_t rank = 0; rank < parts.size(); ++rank)
      terms[rank] = number(pattern.dtype, &parts[rank][at]);
    const Expected expected = combined(pattern, terms);
    const long double value = number(pattern.dtype, &got[at]);
    if (!fits(expected, value))
      return described(at / width, text(value), text(expected.value) + " ± " + text(expected.bound));
  }
  return "";
}

std::string complex_product_problem(const Pattern& pattern, const std::vector<Bytes>& parts,
                                    std::span<const std::byte> got) {
  for (std::size_t at = 0; at < got.size(); at += 8) {
    std::complex<long double> value = 1;
    long double magnitude = 1;
    for (const Bytes& part : parts) {
      const std::complex<long double> term(number(pattern.dtype, &part[at]),
                                           number(pattern.dtype, &part[at + 4]));
      value *= term;
      magnitude *= std::abs(term);
    }
    // Two products and a sum for each half.
    const bool exact = pattern.values == Values::exact;
    const long double bound = exact ? 0 : 2 * gamma(pattern.dtype, 2 * (parts.size() - 1)) * magnitude;
    const std::complex<long double> found(number(pattern.dtype, &got[at]),
                                          number(pattern.dtype, &got[at + 4]));
    if (!fits({value.real(), bound}, found.real()) || !fits({value.imag(), bound}, found.imag()))
      return described(at / 8, text(found.real()) + " + " + text(found.imag()) + "i",
                       text(value.real()) + " + " + text(value.imag()) + "i ± " + text(bound));
  }
  return "";
}

template <class T>
T one_of(Op op, T a, T b) {
  // In the widest unsigned type, where everything wraps; the low bits are those of the narrow one.
  const auto wide = [](T value) { return static_cast<std::uint64_t>(value); };
  switch (op) {
    case Op::sum:
      return static_cast<T>(wide(a) + wide(b));
    case Op::product:
      return static_cast<T>(wide(a) * wide(b));
    case Op::min:
      return b < a ? b : a;
    case Op::max:
      return a < b ? b : a;
    case Op::bit_and:
      return static_cast<T>(wide(a) & wide(b));
    case Op::bit_or:
      return static_cast<T>(wide(a) | wide(b));
    default:
      throw std::logic_error("no such operation on integers");
  }
}

bool one_of(Op op, bool a, bool b) {
  return op == Op::sum || op == Op::max || op == Op::bit_or ? a || b : a && b;
}

template <class T>
std::string whole_problem(const Pattern& pattern, const std::vector<Bytes>& parts,
                          std::span<const std::byte> got) {
  const auto element = [](std::span<const std::byte> bytes, std::size_t i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    return value;
  };
  // What came need not be a value of the type at all.
  const auto shown = [&](std::size_t i) {
    if constexpr (std::is_same_v<T, bool>)
      return std::to_string(std::to_integer<unsigned>(got[i]));
    else
      return std::to_string(element(got, i));
  };
  for (std::size_t i = 0; i < got.size() / sizeof(T); ++i) {
    T expected = element(parts[0], i);
    for (std::size_t rank = 1; rank < parts.size(); ++rank)
      expected = one_of(pattern.op, expected, element(parts[rank], i));
    if (std::memcmp(&expected, got.data() + i * sizeof(T), sizeof(T)) != 0)
      return described(i, shown(i), std::to_string(expected));
  }
  return "";
}

}  // namespace

bool allowed(Op op, Dtype dtype) {
  const bool bits = op == Op::bit_and || op == Op::bit_or;
  const bool extremes = op == Op::min || op == Op::max;
  if (dtype == Dtype::complex64) return !bits && !extremes;
  return is_floating(dtype) ? !bits : op != Op::average;
}

std::string problem_of(const Pattern& pattern, const std::vector<Bytes>& parts,
                       std::span<const std::byte> got) {
  for (const Bytes& part : parts)
    if (part.size() != got.size()) throw std::logic_error("parts and result differ in size");
  switch (pattern.dtype) {
    case Dtype::bool_:
      return whole_problem<bool>(pattern, parts, got);
    case Dtype::int8:
      return whole_problem<std::int8_t>(pattern, parts, got);
    case Dtype::int16:
      return whole_problem<std::int16_t>(pattern, parts, got);
    case Dtype::int32:
      return whole_problem<std::int32_t>(pattern, parts, got);
    case Dtype::int64:
      return whole_problem<std::int64_t>(pattern, parts, got);
    case Dtype::uint8:
      return whole_problem<std::uint8_t>(pattern, parts, got);
    case Dtype::uint16:
      return whole_problem<std::uint16_t>(pattern, parts, got);
    case Dtype::uint32:
      return whole_problem<std::uint32_t>(pattern, parts, got);
    case Dtype::uint64:
      return whole_problem<std::uint64_t>(pattern, parts, got);
    case Dtype::complex64:
      if (pattern.op == Op::product) return complex_product_problem(pattern, parts, got);
      return real_problem(pattern, parts, got);  // both halves by themselves
    default:
      return real_problem(pattern, parts, got);
  }
}

}  // namespace matrix
