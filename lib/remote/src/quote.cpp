#include "jackal/remote/quote.hpp"

#include <algorithm>
#include <array>

namespace jackal::remote {
namespace {

// Where a command may stand, an unquoted one of these is syntax to sh, bash, zsh, fish or tcsh.
constexpr std::array<std::string_view, 28> kReserved = {
    "and",    "begin",  "case",    "coproc",   "do",   "done",  "elif",      "else",   "end", "esac",
    "fi",     "for",    "foreach", "function", "if",   "in",    "nocorrect", "noglob", "not", "or",
    "repeat", "select", "switch",  "then",     "time", "until", "while",     "endif"};

// Each is written \c, outside quotes: fish reads \' and \\ inside single quotes, tcsh reads ! even there.
bool needs_backslash(char c) { return c == '\'' || c == '\\' || c == '!'; }

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_@+:,./-").find(c) != std::string_view::npos;
}

}  // namespace

std::string quote(std::string_view word) {
  if (word.empty()) return "''";
  if (std::find(kReserved.begin(), kReserved.end(), word) != kReserved.end()) {
    return '\'' + std::string(word) + '\'';
  }
  // An option can be no assignment, and zsh expands `=` only at the start of a word.
  const bool option = word.front() == '-';
  const auto may_stand_bare = [option](char c) { return is_plain(c) || (option && c == '='); };

  std::string text;
  for (auto run = word.begin(); run != word.end();) {
    if (needs_backslash(*run)) {
      text += {'\\', *run++};
      continue;
    }
    const auto end = std::find_if(run, word.end(), needs_backslash);
    const std::string_view segment(&*run, static_cast<std::size_t>(end - run));
    if (std::all_of(run, end, may_stand_bare)) {
      text += segment;
    } else {
      text.append("'").append(segment).append("'");
    }
    run = end;
  }
  return text;
}

std::string quote(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& word : argv) {
    if (!text.empty()) text += ' ';
    text += quote(word);
  }
  return text;
}

}  // namespace jackal::remote
