#include "jackal/base/text.hpp"

#include "support/catch.hpp"

using jackal::parse_integer;

TEST_CASE("a number is the whole text or none") {
  CHECK(parse_integer<int>("42") == 42);
  CHECK(parse_integer<int>("-7") == -7);
  CHECK(!parse_integer<int>(""));
  CHECK(!parse_integer<int>(" 7"));
  CHECK(!parse_integer<int>("7x"));
  CHECK(!parse_integer<int>("99999999999"));
  CHECK(!parse_integer<unsigned>("-1"));
}
