#include "bench/sizes.hpp"

#include "support/catch.hpp"

namespace jackal::bench {

using Sizes = std::vector<std::uint64_t>;

TEST_CASE("sizes are bytes, or powers of 1024 by their letter") {
  CHECK(parse_size("8") == 8);
  CHECK(parse_size("64K") == 65536);
  CHECK(parse_size("64k") == 65536);
  CHECK(parse_size("512KiB") == 524288);
  CHECK(parse_size("128M") == 134217728);
  CHECK(parse_size("2G") == 2147483648);
}

TEST_CASE("what is no size is refused") {
  for (const char* text : {"", "0", "K", "-8", "1.5M", "8 K", "8KB", "8Ki", "8T", "18446744073709551616",
                           "18014398509481984K", "0x8"}) {
    INFO(text);
    CHECK(parse_size(text) == std::nullopt);
  }
}

TEST_CASE("sizes are shown in the largest unit that fits") {
  CHECK(size_text(8) == "8 B");
  CHECK(size_text(1024) == "1 KiB");
  CHECK(size_text(1536) == "1.5 KiB");
  CHECK(size_text(std::uint64_t{128} << 20) == "128 MiB");
}

TEST_CASE("a series goes by its factor and ends with the last size that is not too large") {
  CHECK(size_series(8, 64, 2) == Sizes{8, 16, 32, 64});
  CHECK(size_series(8, 65, 4) == Sizes{8, 32});
  CHECK(size_series(8, 8, 2) == Sizes{8});
  CHECK(size_series(std::uint64_t{1} << 62, ~std::uint64_t{0}, 2) ==
        Sizes{std::uint64_t{1} << 62, std::uint64_t{1} << 63});
}

}  // namespace jackal::bench
