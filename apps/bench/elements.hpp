// Element types and reductions as the command line names them, numbered as in jackal/collectives.h. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace jackal::bench {

enum class Element : int {
  bool_ = 0,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float16,
  bfloat16,
  float32,
  float64,
  complex64,
};

enum class Reduction : int { sum = 0, product, min, max, bit_and, bit_or, average };

/// In the order of the enumerations' values.
const std::vector<std::string>& element_names();
const std::vector<std::string>& reduction_names();

const std::string& name_of(Element element);
const std::string& name_of(Reduction reduction);

std::size_t bytes_of(Element element);

bool is_integer(Element element);  // bool_ is none

/// Whether the library has this reduction for this type.
bool defined_for(Reduction reduction, Element element);

}  // namespace jackal::bench
