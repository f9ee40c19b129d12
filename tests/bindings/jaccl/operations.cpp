#include "operations.hpp"

#include <cstring>
#include <type_traits>

#include "jaccl/types.h"

namespace operations {
namespace {

using jaccl::bfloat16_t;
using jaccl::complex64_t;
using jaccl::float16_t;
using jaccl::Group;

// Whole numbers so small that every order of adding gives the same; integers that wrap.
template <class T>
T value(int rank, std::size_t i) {
  const auto mixed = (static_cast<std::uint64_t>(rank) + 1) * 0x9e3779b97f4a7c15 ^ i * 0xc2b2ae3d27d4eb4f;
  const auto small = static_cast<float>(mixed >> 33 & 31) - 15;
  if constexpr (std::is_same_v<T, bool>)
    return (mixed >> 40) % 3 == 0;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(mixed >> 7);
  else if constexpr (std::is_same_v<T, complex64_t>)
    return {static_cast<float>(mixed >> 50 & 3), small};
  else
    return static_cast<T>(small);
}

template <class T>
T sum(T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return a || b;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  else
    return static_cast<T>(a + b);
}

template <class T>
bool less(T a, T b) {
  if constexpr (std::is_same_v<T, complex64_t>)
    return a.real() != b.real() ? a.real() < b.real() : a.imag() < b.imag();
  else
    return a < b;
}

template <class T>
T most(T a, T b) {
  return less(a, b) ? b : a;
}

template <class T>
T least(T a, T b) {
  return less(b, a) ? b : a;
}

template <class T>
T over_ranks(T (*combine)(T, T), int size, std::size_t i) {
  T result = value<T>(0, i);
  for (int rank = 1; rank < size; ++rank) result = combine(result, value<T>(rank, i));
  return result;
}

// std::vector<bool> has no elements to point at; this is nothing but an array.
template <class T>
struct Array {
  explicit Array(std::size_t count) : size(count), data(new T[count]()) {}
  std::size_t size;
  std::unique_ptr<T[]> data;
};

void expect(bool right, const char* what, int dtype, std::size_t count) {
  if (!right)
    throw std::runtime_error(std::string("wrong result of ") + what + " of " + std::to_string(count) +
                             " elements of type " + std::to_string(dtype));
}

template <class T, class Expected>
bool equals(const Array<T>& got, std::size_t count, const Expected& expected) {
  for (std::size_t i = 0; i < count; ++i)
    if (!(got.data[i] == expected(i))) return false;
  return true;
}

template <class T>
class Check {
public:
  Check(Group& group, int dtype, std::size_t count, Place place)
      : group_(group),
        dtype_(dtype),
        count_(count),
        bytes_(count * sizeof(T)),
        same_(place == Place::same),
        all_(count * static_cast<std::size_t>(group.size())) {}

  void run() {
    reduce(&Group::all_sum, &sum<T>, "all_sum");
    reduce(&Group::all_max, &most<T>, "all_max");
    reduce(&Group::all_min, &least<T>, "all_min");
    gather();
    scatter();
    pass_round();
    group_.barrier();
  }

private:
  Array<T> filled(std::size_t count, std::size_t room) {
    Array<T> made(room);
    for (std::size_t i = 0; i < count; ++i) made.data[i] = value<T>(group_.rank(), i);
    return made;
  }

  void reduce(void (Group::*operation)(const void*, void*, size_t, int), T (*combine)(T, T),
              const char* what) {
    Array<T> in = filled(count_, count_);
    Array<T> apart(count_);
    Array<T>& out = same_ ? in : apart;
    (group_.*operation)(in.data.get(), out.data.get(), bytes_, dtype_);
    const auto expected = [&](std::size_t i) { return over_ranks(combine, group_.size(), i); };
    expect(equals(out, count_, expected), what, dtype_, count_);
  }

  void gather() {
    Array<T> in = filled(count_, all_);
    Array<T> apart(all_);
    Array<T>& out = same_ ? in : apart;
    group_.all_gather(in.data.get(), out.data.get(), bytes_);
    const auto expected = [&](std::size_t i) { return value<T>(static_cast<int>(i / count_), i % count_); };
    expect(equals(out, all_, expected), "all_gather", dtype_, count_);
  }

  void scatter() {
    Array<T> in = filled(all_, all_);
    Array<T> apart(count_);
    Array<T>& out = same_ ? in : apart;
    group_.sum_scatter(in.data.get(), out.data.get(), bytes_, dtype_);
    const std::size_t first = static_cast<std::size_t>(group_.rank()) * count_;
    const auto expected = [&](std::size_t i) { return over_ranks(&sum<T>, group_.size(), first + i); };
    expect(equals(out, count_, expected), "sum_scatter", dtype_, count_);
  }

  // From rank to rank, so that a send which waits for its recv waits for nothing else.
  void pass_round() {
    const int n = group_.size();
    const int from = (group_.rank() + n - 1) % n;
    const int to = (group_.rank() + 1) % n;
    Array<T> in = filled(count_, count_);
    Array<T> apart(count_);
    Array<T>& out = same_ ? in : apart;
    // In place, what came is passed on from where it came to.
    if (group_.rank() > 0) group_.recv(out.data.get(), bytes_, from);
    group_.send(in.data.get(), bytes_, to);
    if (group_.rank() == 0) group_.recv(out.data.get(), bytes_, from);
    const int whose = same_ ? 0 : from;
    const auto expected = [&](std::size_t i) { return value<T>(whose, i); };
    expect(equals(out, count_, expected), "send and recv", dtype_, count_);
  }

  Group& group_;
  int dtype_;
  std::size_t count_, bytes_;
  bool same_;
  std::size_t all_;
};

}  // namespace

void check_all(Group& group, std::size_t count, Place place) {
  const auto check = [&]<class T>(std::type_identity<T>, int dtype) {
    Check<T>(group, dtype, count, place).run();
  };
  check(std::type_identity<bool>(), jaccl::Bool);
  check(std::type_identity<std::int8_t>(), jaccl::Int8);
  check(std::type_identity<std::int16_t>(), jaccl::Int16);
  check(std::type_identity<std::int32_t>(), jaccl::Int32);
  check(std::type_identity<std::int64_t>(), jaccl::Int64);
  check(std::type_identity<std::uint8_t>(), jaccl::UInt8);
  check(std::type_identity<std::uint16_t>(), jaccl::UInt16);
  check(std::type_identity<std::uint32_t>(), jaccl::UInt32);
  check(std::type_identity<std::uint64_t>(), jaccl::UInt64);
  check(std::type_identity<float16_t>(), jaccl::Float16);
  check(std::type_identity<bfloat16_t>(), jaccl::BFloat16);
  check(std::type_identity<float>(), jaccl::Float32);
  check(std::type_identity<double>(), jaccl::Float64);
  check(std::type_identity<complex64_t>(), jaccl::Complex64);
}

void check_all_sizes(Group& group) {
  check_all(group, 0, Place::same);
  check_all(group, 1, Place::apart);
  check_all(group, 1000, Place::same);
  check_all(group, 17000, Place::apart);
}

}  // namespace operations
