#include "ssh_config_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "jackal/base/text.hpp"
#include "ssh_config_destination.hpp"

namespace jackal::remote {
namespace {

template <class T>
struct Named {
  std::string_view name;
  T value;
};

template <class T, std::size_t N>
std::optional<T> look_up(const Named<T> (&table)[N], std::string_view text) {
  for (const auto& entry : table) {
    if (equals_ignoring_case(entry.name, text)) return entry.value;
  }
  return std::nullopt;
}

std::optional<int> seconds_in(char unit) {
  switch (unit) {
    case 's':
    case 'S':
      return 1;
    case 'm':
    case 'M':
      return 60;
    case 'h':
    case 'H':
      return 3600;
    case 'd':
    case 'D':
      return 86400;
    case 'w':
    case 'W':
      return 604800;
    default:
      return std::nullopt;
  }
}

tl::unexpected<Error> expected(const ConfigLine& line, std::string_view what, std::string_view found) {
  return fail(config_error(line.place, fmt::format("{}: expected {}, found {}", line.name, what,
                                                   found.empty() ? "nothing" : found)));
}

Result<void> check_jump(const ConfigLine& line) {
  const std::string_view list = jump_list(line.rest);
  const std::string_view after = without_leading_space(std::string_view(line.rest).substr(list.size()));
  const bool clean = after.empty() || after.front() == '#';
  if (clean && (equals_ignoring_case(list, "none") || parse_jumps(list))) return {};
  return expected(line, "[user@]host[:port] with commas between, or none", line.rest);
}

Result<void> check_words(const ConfigLine& line) {
  for (const std::string& word : line.words) {
    if (word.empty()) return expected(line, "a value", "");
    if (equals_ignoring_case(word, "none") && line.words.size() > 1) {
      return expected(line, "none alone or values without it", line.rest);
    }
  }
  return {};
}

bool is_number(std::string_view text) {
  return parse_integer<int>(text).value_or(-1) >= 0 && text.front() != '-';
}

/// What is wrong with a value that is one word; empty if nothing.
std::string_view wanted(Value kind, std::string_view word) {
  switch (kind) {
    case Value::flag:
      return parse_flag(word) ? "" : "yes or no";
    case Value::number:
      return is_number(word) ? "" : "a number";
    case Value::port:
      return parse_port(word) ? "" : "a port from 1 to 65535";
    case Value::time:
      return parse_time(word) || word == "none" ? "" : "a time such as 30 or 1m30s";
    case Value::strict:
      return parse_strict(word) ? "" : "yes, accept-new, no, off or ask";
    case Value::family:
      return parse_family(word) ? "" : "any, inet or inet6";
    default:
      return "";
  }
}

}  // namespace

Result<void> check_value(const ConfigLine& line) {
  const Value kind = line.keyword->value;
  if (kind == Value::rest) return {};
  if (kind == Value::jump) return check_jump(line);
  if (line.words.empty() || line.words.front().empty()) return expected(line, "a value", "");
  if (kind == Value::anything) return {};
  if (kind == Value::words) return check_words(line);
  if (line.words.size() > 1) return expected(line, "one value", line.rest);
  const std::string_view what = wanted(kind, line.words.front());
  if (!what.empty()) return expected(line, what, line.words.front());
  return {};
}

std::string_view jump_list(std::string_view rest) {
  return rest.substr(0, std::min(rest.find_first_of(" \t#"), rest.size()));
}

std::optional<bool> parse_flag(std::string_view text) {
  static constexpr Named<bool> kFlags[] = {{"yes", true}, {"true", true}, {"no", false}, {"false", false}};
  return look_up(kFlags, text);
}

std::optional<StrictHostKeyChecking> parse_strict(std::string_view text) {
  using enum StrictHostKeyChecking;
  static constexpr Named<StrictHostKeyChecking> kStrict[] = {{"yes", yes},
                                                             {"true", yes},
                                                             {"no", no},
                                                             {"false", no},
                                                             {"off", no},
                                                             {"ask", ask},
                                                             {"accept-new", accept_new}};
  return look_up(kStrict, text);
}

std::optional<AddressFamily> parse_family(std::string_view text) {
  static constexpr Named<AddressFamily> kFamilies[] = {
      {"any", AddressFamily::any}, {"inet", AddressFamily::inet}, {"inet6", AddressFamily::inet6}};
  return look_up(kFamilies, text);
}

std::optional<std::chrono::seconds> parse_time(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_integer<int>(text.substr(0, digits));
    const auto unit = digits == text.size() ? std::optional<int>(1) : seconds_in(text[digits]);
    if (!number || !unit) return std::nullopt;
    total += std::int64_t{*number} * *unit;
    if (total > std::numeric_limits<int>::max()) return std::nullopt;
    text.remove_prefix(std::min(digits + 1, text.size()));
  }
  return std::chrono::seconds(total);
}

}  // namespace jackal::remote
