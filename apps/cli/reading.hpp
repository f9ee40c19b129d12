// From the text of flags to values of the tool's own types. Pure.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command_line.hpp"
#include "jackal/base/error.hpp"
#include "jackal/hostfile/hostfile.hpp"

namespace jackal::cli {

tl::unexpected<Error> usage(std::string_view flag, std::string what, std::string hint);

/// The value of --backend.
Result<hostfile::Backend> backend(const std::string& name);

/// A value of --env: NAME=VALUE.
Result<std::pair<std::string, std::string>> variable(const std::string& text);

/// Reads one flag after the other into the options and keeps the first error.
class Reading {
public:
  explicit Reading(const CommandLine& line) : line_(line) {}

  std::optional<Error> error;

  bool has(const std::string& flag) const { return line_.has(flag); }

  std::optional<std::string> last(const std::string& flag) const {
    const auto found = line_.flags.find(flag);
    if (found == line_.flags.end()) return std::nullopt;
    return found->second.back();
  }

  std::vector<std::string> every(const std::string& flag) const {
    const auto found = line_.flags.find(flag);
    return found == line_.flags.end() ? std::vector<std::string>{} : found->second;
  }

  /// Where `read` makes a value of the flag's text, puts it into `target`.
  template <class Target, class Read>
  void set(const std::string& flag, Target& target, Read read) {
    const std::optional<std::string> text = last(flag);
    if (!text || error) return;
    auto value = read(*text);
    if (value) {
      target = static_cast<Target>(*std::move(value));
    } else {
      error = value.error();
    }
  }

  void text(const std::string& flag, std::optional<std::string>& target) {
    set(flag, target, [&](const std::string& value) -> Result<std::string> {
      if (!value.empty()) return value;
      return usage(flag, "its value is empty", "give one, or leave the flag out");
    });
  }

  /// One of `words`, in the order of the enumeration's values.
  template <class Enum>
  void choice(const std::string& flag, Enum& target, const std::vector<std::string>& words) {
    set(flag, target, [&](const std::string& value) -> Result<Enum> {
      const auto found = std::find(words.begin(), words.end(), value);
      if (found != words.end()) return static_cast<Enum>(found - words.begin());
      return usage(flag, "'" + value + "' is neither " + words[0] + " nor " + words[1],
                   "write " + flag + " " + words[0] + " or " + flag + " " + words[1]);
    });
  }

private:
  const CommandLine& line_;
};

}  // namespace jackal::cli
