#include <regex>
#include <set>
#include <sstream>

#include "distributed-config/options.hpp"
#include "jackal/base/file.hpp"
#include "jackal/tbdiscovery/problems.hpp"
#include "support/catch.hpp"

namespace jackal::distributed_config {
namespace {

std::string man_page() {
  std::string text = read_file(JACKAL_SOURCE_DIR "/man/distributed-config.1", 1 << 20).value();
  text = std::regex_replace(text, std::regex("\\\\f[A-Z]"), "");  // changes of font
  return std::regex_replace(text, std::regex("\\\\-"), "-");
}

std::set<std::string> flags_in(const std::string& text) {
  static const std::regex kFlag("(^|[^-A-Za-z0-9])(--[a-z][a-z-]*)");
  std::set<std::string> flags;
  for (std::sregex_iterator it(text.begin(), text.end(), kFlag), end; it != end; ++it) flags.insert((*it)[2]);
  return flags;
}

/// The tag lines after .TP of a section, without their macro.
std::vector<std::string> tags_of(const std::string& page, const std::string& section) {
  const std::size_t start = page.find("\n.SH " + section);
  REQUIRE(start != std::string::npos);
  std::istringstream lines(page.substr(start, page.find("\n.SH ", start + 1) - start));
  std::vector<std::string> tags;
  bool tag = false;
  for (std::string line; std::getline(lines, line); tag = line == ".TP") {
    if (tag) tags.push_back(line.substr(line.find(' ') + 1));
  }
  return tags;
}

}  // namespace

TEST_CASE("the manual explains the flags of --help and no others") {
  const auto flags = flags_in(help_text());
  std::set<std::string> explained;
  for (const auto& tag : tags_of(man_page(), "OPTIONS")) explained.merge(flags_in(tag));
  CHECK(explained == flags);
  for (const auto& flag : flags_in(man_page())) {
    INFO(flag);
    CHECK((flags.count(flag) == 1 || "--output" == flag));  // the one abbreviation it names
  }
}

TEST_CASE("the manual has every problem's code, in order, and no other") {
  std::vector<std::string> codes;
  for (const auto code : tbdiscovery::problem_codes()) codes.emplace_back(to_string(code));
  CHECK(tags_of(man_page(), "PROBLEMS") == codes);
}

TEST_CASE("the manual has every exit code") {
  CHECK(tags_of(man_page(), "EXIT STATUS") ==
        std::vector<std::string>{"0", "1", "3", "64", "65", "69", "70", "74", "130"});
}

TEST_CASE("help is at most 80 columns wide") {
  std::istringstream lines(help_text());
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 84);
}

}  // namespace jackal::distributed_config
