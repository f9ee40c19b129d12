#include "bench/elements.hpp"

#include <array>

namespace jackal::bench {

const std::vector<std::string>& element_names() {
  static const std::vector<std::string> kNames = {"bool",     "int8",    "int16",   "int32",    "int64",
                                                  "uint8",    "uint16",  "uint32",  "uint64",   "float16",
                                                  "bfloat16", "float32", "float64", "complex64"};
  return kNames;
}

const std::vector<std::string>& reduction_names() {
  static const std::vector<std::string> kNames = {"sum",     "product", "min",    "max",
                                                  "bit_and", "bit_or",  "average"};
  return kNames;
}

const std::string& name_of(Element element) { return element_names()[static_cast<std::size_t>(element)]; }

const std::string& name_of(Reduction reduction) {
  return reduction_names()[static_cast<std::size_t>(reduction)];
}

std::size_t bytes_of(Element element) {
  static constexpr std::array<std::size_t, 14> kBytes = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 8};
  return kBytes[static_cast<std::size_t>(element)];
}

bool is_integer(Element element) { return element >= Element::int8 && element <= Element::uint64; }

bool defined_for(Reduction reduction, Element element) {
  switch (reduction) {
    case Reduction::sum:
    case Reduction::product:
      return true;
    case Reduction::min:
    case Reduction::max:
      return element != Element::complex64;
    case Reduction::bit_and:
    case Reduction::bit_or:
      return element == Element::bool_ || is_integer(element);
    case Reduction::average:
      return element >= Element::float16;
  }
  return false;
}

}  // namespace jackal::bench
