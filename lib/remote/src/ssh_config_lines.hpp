// The text of configuration files as lines of words, Include lines replaced by what they include.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/remote/ssh_config.hpp"
#include "ssh_config_keywords.hpp"

namespace jackal::remote {

struct ConfigFile;

struct ConfigLine {
  std::string place;                 // "~/.ssh/config:12"
  std::string name;                  // the keyword as it was written
  const Keyword* keyword;            // nullptr: unknown, which IgnoreUnknown may allow
  std::string rest;                  // everything after the keyword, trimmed; never empty
  std::vector<std::string> words;    // of `rest`, without quotes and comment
  std::vector<ConfigFile> included;  // of an Include line
};

struct ConfigFile {
  std::vector<ConfigLine> lines;
};

/// What a file may do and how its relative Include paths are meant.
struct ConfigSource {
  std::string path;
  bool of_user;  // relative paths are below ~/.ssh, not /etc/ssh, and may begin with ~
  Surroundings::Check check = Surroundings::Check::none;
};

/// The file and all that it includes. An error of kind not_found means that the file itself does not exist.
Result<ConfigFile> read_config(const ConfigSource& source, const Surroundings& surroundings);

/// Takes the next word off the front of `text`: quotes and backslashes go, a `#` at its start ends the line.
/// nullopt: there is none. An error: a quote without its partner.
Result<std::optional<std::string>> take_word(std::string_view& text);

/// The path with `home` written as `~`, as messages show it.
std::string shown_path(std::string_view path, std::string_view home);

/// `~`, `~/x` and `~user/x` as absolute paths; an error names the user who is not there.
Result<std::string> expand_tilde(const std::string& path, const Surroundings& surroundings);

std::string_view without_leading_space(std::string_view text);

Error config_error(std::string place, std::string what, std::string hint = "");

}  // namespace jackal::remote
