#include "ssh_algorithms.hpp"

#include <algorithm>

#include "ssh_config_pattern.hpp"

namespace jackal::remote {
namespace {

void add(std::string& list, std::string_view entry) {
  if (!list.empty() && !entry.empty()) list += ',';
  list += entry;
}

/// `list` without what the patterns match.
std::string without(std::string_view list, std::string_view patterns) {
  std::string left;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view entry = list.substr(0, comma);
    if (!matches_list(entry, patterns)) add(left, entry);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return left;
}

}  // namespace

std::string algorithm_list(std::string_view wanted, std::string_view usual) {
  if (wanted.empty()) return "";
  const std::string_view entries = wanted.substr(1);
  std::string list(usual);
  switch (wanted.front()) {
    case '+':
      add(list, without(entries, usual));
      return list;
    case '-':
      return without(usual, entries);
    case '^':
      return algorithms_first(entries, usual);
    default:
      return std::string(wanted);
  }
}

std::string algorithms_first(std::string_view first, std::string_view list) {
  std::string result(first);
  add(result, without(list, first));
  return result;
}

}  // namespace jackal::remote
