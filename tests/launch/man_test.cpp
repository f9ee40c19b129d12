#include <regex>
#include <set>
#include <sstream>

#include "jackal/base/file.hpp"
#include "launch/fixture.hpp"

namespace jackal::launch {
namespace {

std::string man_page() {
  std::string text = must(read_file(JACKAL_SOURCE_DIR "/man/launch.1", 1 << 20));
  text = std::regex_replace(text, std::regex("\\\\f[A-Z]"), "");  // changes of font
  return std::regex_replace(text, std::regex("\\\\-"), "-");
}

std::set<std::string> flags_in(const std::string& text) {
  static const std::regex kFlag("(^|[^-A-Za-z0-9])(--[a-z][a-z-]*)");
  std::set<std::string> flags;
  for (std::sregex_iterator it(text.begin(), text.end(), kFlag), end; it != end; ++it) flags.insert((*it)[2]);
  return flags;
}

/// The flags that OPTIONS explains: those of the tag lines after .TP.
std::set<std::string> explained_flags(const std::string& page) {
  const std::size_t start = page.find("\n.SH OPTIONS");
  std::istringstream lines(page.substr(start, page.find("\n.SH ", start + 1) - start));
  std::set<std::string> flags;
  bool tag = false;
  for (std::string line; std::getline(lines, line); tag = line == ".TP") {
    if (tag) flags.merge(flags_in(line));
  }
  return flags;
}

}  // namespace

TEST_CASE("the manual and --help know the same flags", "[man]") {
  const std::set<std::string> flags = flags_in(help_text());
  REQUIRE(flags.count("--hosts") == 1);
  CHECK(flags_in(man_page()) == flags);
  CHECK(explained_flags(man_page()) == flags);
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
