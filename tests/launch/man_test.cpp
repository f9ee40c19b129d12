#include <set>
#include <sstream>

#include "launch/fixture.hpp"
#include "support/man.hpp"

namespace jackal::launch {
namespace {

std::string man_page() { return man::page(JACKAL_SOURCE_DIR "/man/launch.1"); }

}  // namespace

TEST_CASE("the manual and --help know the same flags", "[man]") {
  const std::set<std::string> flags = man::flags_in(help_text());
  REQUIRE(flags.count("--hosts") == 1);
  CHECK(man::flags_in(man_page()) == flags);
  CHECK(man::explained_flags(man_page()) == flags);
}

TEST_CASE("the manual has a row for every exit code", "[man]") {
  const std::string page = man_page();
  for (const char* code : {"0", "64", "65", "69", "70", "74", "124", "126", "127", "130"}) {
    INFO(code);
    CHECK(page.find("\n.B " + std::string(code) + "\n") != std::string::npos);
  }
}

TEST_CASE("help is at most 80 columns wide and names every flag of its table once", "[man]") {
  std::istringstream lines(help_text());
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 84);  // bytes; … has three
  CHECK(help_text().rfind("Usage: launch [flags] [--] command", 0) == 0);
}

}  // namespace jackal::launch
