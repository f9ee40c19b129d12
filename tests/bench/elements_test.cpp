#include "bench/elements.hpp"

#include "support/catch.hpp"

namespace jackal::bench {

TEST_CASE("elements have the library's names and sizes") {
  REQUIRE(element_names().size() == 14);
  CHECK(name_of(Element::bool_) == "bool");
  CHECK(name_of(Element::bfloat16) == "bfloat16");
  CHECK(name_of(Reduction::bit_or) == "bit_or");
  CHECK(bytes_of(Element::bool_) == 1);
  CHECK(bytes_of(Element::uint16) == 2);
  CHECK(bytes_of(Element::float16) == 2);
  CHECK(bytes_of(Element::float32) == 4);
  CHECK(bytes_of(Element::complex64) == 8);
}

TEST_CASE("reductions are defined for the types that jackal/collectives.h lists") {
  CHECK(defined_for(Reduction::sum, Element::bool_));
  CHECK(defined_for(Reduction::product, Element::complex64));
  CHECK(defined_for(Reduction::max, Element::float16));
  CHECK_FALSE(defined_for(Reduction::min, Element::complex64));
  CHECK(defined_for(Reduction::bit_and, Element::bool_));
  CHECK(defined_for(Reduction::bit_or, Element::uint64));
  CHECK_FALSE(defined_for(Reduction::bit_or, Element::float32));
  CHECK(defined_for(Reduction::average, Element::complex64));
  CHECK_FALSE(defined_for(Reduction::average, Element::int32));
}

}  // namespace jackal::bench
