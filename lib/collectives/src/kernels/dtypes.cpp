// What is known about types and operations without looking into elements.
#include <array>

#include "kernels/reduce.hpp"

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

constexpr std::array<const char*, 7> kOps = {"sum", "product", "min", "max", "bit_and", "bit_or", "average"};

bool is_floating(Dtype dtype) {
  return dtype == Dtype::float16 || dtype == Dtype::bfloat16 || dtype == Dtype::float32 ||
         dtype == Dtype::float64;
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
  const auto index = static_cast<std::size_t>(op);
  return index < kOps.size() ? kOps[index] : "an unknown operation";
}

std::string op_objection(Op op, Dtype dtype) {
  if (static_cast<std::size_t>(dtype) >= kTypes.size())
    return "no type has the number " + std::to_string(static_cast<int>(dtype)) +
           "; the numbers are 0 (bool) to 13 (complex64)";
  if (static_cast<std::size_t>(op) >= kOps.size())
    return "no operation has the number " + std::to_string(static_cast<int>(op)) +
           "; the numbers are 0 (sum) to 6 (average)";
  const auto refuse = [&](const char* takes) {
    return std::string(op_name(op)) + " of " + dtype_name(dtype) + " is not defined; " + op_name(op) +
           " takes " + takes;
  };
  const bool floating = is_floating(dtype);
  const bool complex = dtype == Dtype::complex64;
  switch (op) {
    case Op::sum:
    case Op::product:
      return "";
    case Op::min:
    case Op::max:
      return complex ? refuse("every type but complex64") : "";
    case Op::bit_and:
    case Op::bit_or:
      return floating || complex ? refuse("bool and integers") : "";
    case Op::average:
      return floating || complex ? "" : refuse("floating point and complex64");
  }
  return "";
}

}  // namespace jackal::collectives
