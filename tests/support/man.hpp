// Verbs for the tests that hold a manual page against the program.
#pragma once

#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "jackal/base/file.hpp"

namespace jackal::man {

/// The page without changes of font, its hyphens plain.
inline std::string page(const std::string& path) {
  std::string text = read_file(path, 1 << 20).value();
  text = std::regex_replace(text, std::regex("\\\\f[A-Z]"), "");
  return std::regex_replace(text, std::regex("\\\\-"), "-");
}

inline std::set<std::string> flags_in(const std::string& text) {
  static const std::regex kFlag("(^|[^-A-Za-z0-9])(--[a-z][a-z-]*)");
  std::set<std::string> flags;
  for (std::sregex_iterator it(text.begin(), text.end(), kFlag), end; it != end; ++it) flags.insert((*it)[2]);
  return flags;
}

/// The tag lines after .TP of a section, without their macro; none when there is no such section.
inline std::vector<std::string> tags_of(const std::string& page, const std::string& section) {
  const std::size_t start = page.find("\n.SH " + section);
  if (start == std::string::npos) return {};
  std::istringstream lines(page.substr(start, page.find("\n.SH ", start + 1) - start));
  std::vector<std::string> tags;
  bool tag = false;
  for (std::string line; std::getline(lines, line); tag = line == ".TP") {
    if (tag) tags.push_back(line.substr(line.find(' ') + 1));
  }
  return tags;
}

inline std::set<std::string> explained_flags(const std::string& page) {
  std::set<std::string> flags;
  for (const std::string& tag : tags_of(page, "OPTIONS")) flags.merge(flags_in(tag));
  return flags;
}

}  // namespace jackal::man
