#include <sstream>

#include "bench/command_line.hpp"
#include "bench/elements.hpp"
#include "bench/operations.hpp"
#include "support/catch.hpp"
#include "support/man.hpp"

namespace jackal::bench {
namespace {

std::string man_page() { return man::page(JACKAL_SOURCE_DIR "/man/jackal-bench.1"); }

}  // namespace

TEST_CASE("the manual and --help know the same flags") {
  const auto flags = man::flags_in(help_text());
  REQUIRE(flags.count("--min-bytes") == 1);
  CHECK(man::explained_flags(man_page()) == flags);
  for (const auto& flag : man::flags_in(man_page())) {
    INFO(flag);
    CHECK((flags.count(flag) == 1 || flag == "--hostfile"));  // launch's, in an example
  }
}

TEST_CASE("the manual has every operation, in order") {
  CHECK(man::tags_of(man_page(), "OPERATIONS") == operation_names());
}

TEST_CASE("the manual and --help name every type and reduction") {
  const std::string page = man_page();
  for (const auto& name : element_names()) {
    INFO(name);
    CHECK(page.find(name) != std::string::npos);
  }
  for (const auto& name : reduction_names()) {
    INFO(name);
    CHECK(page.find(name) != std::string::npos);
    CHECK(help_text().find(name) != std::string::npos);
  }
}

TEST_CASE("the manual has every exit code") {
  CHECK(man::tags_of(man_page(), "EXIT STATUS") ==
        std::vector<std::string>{"0", "1", "64", "65", "69", "70", "74"});
}

TEST_CASE("help is at most 80 columns wide") {
  std::istringstream lines(help_text());
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 80);
}

}  // namespace jackal::bench
