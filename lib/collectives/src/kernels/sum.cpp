#include "kernels/sum.hpp"

#include <array>
#include <cstdint>

#include "kernels/half.hpp"

namespace jackal::collectives {
namespace {

struct Info {
  const char* name;
  std::size_t size;
};

constexpr std::array<Info, 14> kTypes = {{{"bool", 1},
                                          {"int8", 1},
                                          {"int16", 2},
                                          {"int32", 4},
                                          {"int64", 8},
                                          {"uint8", 1},
                                          {"uint16", 2},
                                          {"uint32", 4},
                                          {"uint64", 8},
                                          {"float16", 2},
                                          {"bfloat16", 2},
                                          {"float32", 4},
                                          {"float64", 8},
                                          {"complex64", 8}}};

template <class T, class Add>
void each(void* into, const void* from, std::size_t count, Add add) {
  T* a = static_cast<T*>(into);
  const T* b = static_cast<const T*>(from);
  for (std::size_t i = 0; i < count; ++i) a[i] = add(a[i], b[i]);
}

// Signed integers wrap as unsigned ones do, where overflow is defined.
template <class T>
void wrap(void* into, const void* from, std::size_t count) {
  each<T>(into, from, count, [](T a, T b) { return static_cast<T>(a + b); });
}

template <class T>
void plain(void* into, const void* from, std::size_t count) {
  each<T>(into, from, count, [](T a, T b) { return a + b; });
}

}  // namespace

std::size_t dtype_size(Dtype dtype) {
  const auto index = static_cast<std::size_t>(dtype);
  return index < kTypes.size() ? kTypes[index].size : 0;
}

const char* dtype_name(Dtype dtype) {
  const auto index = static_cast<std::size_t>(dtype);
  return index < kTypes.size() ? kTypes[index].name : "an unknown type";
}

const char* op_name(Op op) {
  constexpr std::array kNames = {"sum", "product", "min", "max", "bit_and", "bit_or", "average"};
  const auto index = static_cast<std::size_t>(op);
  return index < kNames.size() ? kNames[index] : "an unknown operation";
}

void add(Dtype dtype, void* into, const void* from, std::size_t count) {
  switch (dtype) {
    case Dtype::bool_:
      return each<std::uint8_t>(into, from, count, [](std::uint8_t a, std::uint8_t b) {
        return static_cast<std::uint8_t>((a | b) != 0);
      });
    case Dtype::int8:
    case Dtype::uint8:
      return wrap<std::uint8_t>(into, from, count);
    case Dtype::int16:
    case Dtype::uint16:
      return wrap<std::uint16_t>(into, from, count);
    case Dtype::int32:
    case Dtype::uint32:
      return wrap<std::uint32_t>(into, from, count);
    case Dtype::int64:
    case Dtype::uint64:
      return wrap<std::uint64_t>(into, from, count);
    case Dtype::float16:
      return each<std::uint16_t>(into, from, count, [](std::uint16_t a, std::uint16_t b) {
        return float16_from_float(float_from_float16(a) + float_from_float16(b));
      });
    case Dtype::bfloat16:
      return each<std::uint16_t>(into, from, count, [](std::uint16_t a, std::uint16_t b) {
        return bfloat16_from_float(float_from_bfloat16(a) + float_from_bfloat16(b));
      });
    case Dtype::float32:
      return plain<float>(into, from, count);
    case Dtype::float64:
      return plain<double>(into, from, count);
    case Dtype::complex64:
      return plain<float>(into, from, 2 * count);
  }
}

}  // namespace jackal::collectives
