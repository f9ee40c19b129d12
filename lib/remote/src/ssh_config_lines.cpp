#include "ssh_config_lines.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace jackal::remote {
namespace {

constexpr std::string_view kSpace = " \t\r\n\f\v";
constexpr int kMaxDepth = 16;    // OpenSSH's own limit
constexpr int kMaxFiles = 1000;  // so that files that include each other twice end, too

std::string_view without_trailing_space(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

/// Splits off the keyword: it ends at white space or at one `=`, and may stand in double quotes.
Result<std::string> take_keyword(std::string_view& text) {
  std::string name;
  if (text.front() == '"') {
    const std::size_t end = text.find('"', 1);
    if (end == std::string_view::npos) return fail(config_error("", "a quote without its partner"));
    name = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
  } else {
    const std::size_t end = std::min(text.find_first_of(" \t\r\f\v=\""), text.size());
    name = text.substr(0, end);
    text.remove_prefix(end);
  }
  text = without_leading_space(text);
  if (!text.empty() && text.front() == '=') text = without_leading_space(text.substr(1));
  return name;
}

/// Reads a file and, depth first, what it includes.
class Reader {
public:
  explicit Reader(const Surroundings& surroundings) : surroundings_(surroundings) {}

  Result<ConfigFile> read(const ConfigSource& source, int depth) {
    if (++files_ > kMaxFiles) {
      return fail(config_error(source.path, fmt::format("more than {} files are included", kMaxFiles)));
    }
    const auto text = surroundings_.read(source.path, source.check);
    if (!text) return fail(text.error());
    const std::string shown = shown_path(source.path, surroundings_.home);
    ConfigFile file;
    std::string_view rest = *text;
    for (int number = 1; !rest.empty(); ++number) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = without_leading_space(without_trailing_space(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (line.empty() || line.front() == '#') continue;
      auto parsed = parse_line(line, fmt::format("{}:{}", shown, number));
      if (!parsed) return fail(parsed.error());
      if (parsed->keyword != nullptr && parsed->keyword->name == "Include") {
        const auto included = include(*parsed, source, depth);
        if (!included) return fail(included.error());
      }
      file.lines.push_back(std::move(*parsed));
    }
    return file;
  }

private:
  static Result<ConfigLine> parse_line(std::string_view text, std::string place) {
    if (text.find('\0') != std::string_view::npos) {
      return fail(config_error(place, "a NUL byte, expected text"));
    }
    auto name = take_keyword(text);
    if (!name || name->empty()) {
      return fail(config_error(place, fmt::format("expected a keyword, found {}", text.substr(0, 40))));
    }
    if (text.empty()) return fail(config_error(place, fmt::format("no argument after keyword {}", *name)));
    ConfigLine line{std::move(place), *name, find_keyword(*name), std::string(text), {}, {}};
    for (;;) {
      auto word = take_word(text);
      if (!word) return fail(config_error(line.place, word.error().what));
      if (!*word) return line;
      line.words.push_back(std::move(**word));
    }
  }

  Result<void> include(ConfigLine& line, const ConfigSource& source, int depth) {
    if (depth >= kMaxDepth) {
      return fail(config_error(line.place, fmt::format("Include is nested more than {} deep", kMaxDepth)));
    }
    for (const std::string& word : line.words) {
      const auto pattern = include_pattern(word, source.of_user);
      if (!pattern) return fail(config_error(line.place, pattern.error().what));
      for (const std::string& path : surroundings_.glob(*pattern)) {
        auto file = read({path, source.of_user, Surroundings::Check::only_owner_writes}, depth + 1);
        if (file) {
          line.included.push_back(std::move(*file));
        } else if (file.error().code != ErrorCode::not_found) {
          return fail(file.error());
        }
      }
    }
    return {};
  }

  Result<std::string> include_pattern(const std::string& word, bool of_user) const {
    if (word.empty()) return fail(config_error("", "Include has an empty argument, expected a path"));
    if (word.front() == '/') return word;
    if (word.front() != '~') return (of_user ? surroundings_.home + "/.ssh/" : "/etc/ssh/") + word;
    if (of_user) return expand_tilde(word, surroundings_);
    return fail(config_error("", fmt::format("bad include path {}: the system's file has no home", word)));
  }

  const Surroundings& surroundings_;
  int files_ = 0;
};

}  // namespace

Result<ConfigFile> read_config(const ConfigSource& source, const Surroundings& surroundings) {
  return Reader(surroundings).read(source, 0);
}

Result<std::optional<std::string>> take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  if (text.empty() || text.front() == '#') return std::nullopt;
  std::string word;
  char quote = '\0';
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '\\' && (next == '\'' || next == '"' || next == '\\' || (quote == '\0' && next == ' '))) {
      word += next;
      ++i;
    } else if (quote == '\0' && (c == ' ' || c == '\t')) {
      break;
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else if (quote != '\0' && c == quote) {
      quote = '\0';
    } else {
      word += c;
    }
  }
  if (quote != '\0') return fail(config_error("", "a quote without its partner"));
  text.remove_prefix(i);
  return word;
}

std::string shown_path(std::string_view path, std::string_view home) {
  const bool below = home.size() > 1 && path.size() > home.size() && path.substr(0, home.size()) == home &&
                     path[home.size()] == '/';
  return below ? "~" + std::string(path.substr(home.size())) : std::string(path);
}

Result<std::string> expand_tilde(const std::string& path, const Surroundings& surroundings) {
  if (path.empty() || path.front() != '~') return path;
  const std::size_t end = std::min(path.find('/'), path.size());
  if (end == 1) return surroundings.home + path.substr(1);
  const auto home = surroundings.home_of(path.substr(1, end - 1));
  if (!home) return fail(config_error("", fmt::format("{}: there is no such user", path)));
  return *home + path.substr(end);
}

std::string_view without_leading_space(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kSpace), text.size()));
}

Error config_error(std::string place, std::string what, std::string hint) {
  return {ErrorCode::bad_input, std::move(place), std::move(what), std::move(hint)};
}

}  // namespace jackal::remote
