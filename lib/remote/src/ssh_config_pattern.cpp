#include "ssh_config_pattern.hpp"

#include <algorithm>

#include "ssh_config_keywords.hpp"

namespace jackal::remote {

bool matches_pattern(std::string_view text, std::string_view pattern) {
  // Greedy with one point to come back to: after a later `*` an earlier one never needs to give way.
  std::size_t at = 0;
  std::size_t next = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (at < text.size()) {
    if (next < pattern.size() && pattern[next] == '*') {
      star = next++;
      resume = at;
    } else if (next < pattern.size() && (pattern[next] == '?' || pattern[next] == text[at])) {
      ++at;
      ++next;
    } else if (star != std::string_view::npos) {
      next = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', next) == std::string_view::npos;
}

bool matches_list(std::string_view text, std::string_view list) {
  bool matched = false;
  for (;;) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view pattern = list.substr(0, comma);
    const bool negated = !pattern.empty() && pattern.front() == '!';
    if (negated) pattern.remove_prefix(1);
    if (matches_pattern(text, pattern)) {
      if (negated) return false;
      matched = true;
    }
    if (comma == list.size()) return matched;
    list.remove_prefix(comma + 1);
  }
}

bool matches_host_list(std::string_view host, std::string_view list) {
  return matches_list(lower_case(host), lower_case(list));
}

}  // namespace jackal::remote
