#include <set>
#include <sstream>

#include "distributed-config/options.hpp"
#include "jackal/tbdiscovery/problems.hpp"
#include "support/catch.hpp"
#include "support/man.hpp"

namespace jackal::distributed_config {
namespace {

std::string man_page() { return man::page(JACKAL_SOURCE_DIR "/man/distributed-config.1"); }

}  // namespace

TEST_CASE("the manual explains the flags of --help and no others") {
  const auto flags = man::flags_in(help_text());
  CHECK(man::explained_flags(man_page()) == flags);
  for (const auto& flag : man::flags_in(man_page())) {
    INFO(flag);
    CHECK((flags.count(flag) == 1 || "--output" == flag));  // the one abbreviation it names
  }
}

TEST_CASE("the manual has every problem's code, in order, and no other") {
  std::vector<std::string> codes;
  for (const auto code : tbdiscovery::problem_codes()) codes.emplace_back(to_string(code));
  CHECK(man::tags_of(man_page(), "PROBLEMS") == codes);
}

TEST_CASE("the manual has every exit code") {
  CHECK(man::tags_of(man_page(), "EXIT STATUS") ==
        std::vector<std::string>{"0", "1", "3", "64", "65", "69", "70", "74", "130"});
}

TEST_CASE("help is at most 80 columns wide") {
  std::istringstream lines(help_text());
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 84);
}

}  // namespace jackal::distributed_config
