#include "document.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace jackal::hostfile {
namespace {

constexpr std::size_t kLongestQuote = 60;

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// The bytes of the UTF-8 character that `rest` begins with; 0 when there is none.
std::size_t character_length(std::string_view rest) {
  const auto first = static_cast<unsigned char>(rest[0]);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (rest.size() < length) return 0;
  if (!std::all_of(rest.begin() + 1, rest.begin() + static_cast<std::ptrdiff_t>(length),
                   continues_character)) {
    return 0;
  }
  const auto second = static_cast<unsigned char>(rest[1]);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool not_unicode = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return overlong || not_unicode ? 0 : length;
}

}  // namespace

std::string_view Document::string(Index at) const {
  return std::string_view(strings).substr(values[at].string_begin, values[at].string_size);
}

std::size_t Document::count(Index container) const {
  std::size_t count = 0;
  if (kind(container) == Kind::object) {
    each_member(container, [&](Index, Index) { return ++count != 0; });
  } else {
    each_entry(container, [&](Index) { return ++count != 0; });
  }
  return count;
}

Index Document::entry(Index array, std::size_t position) const {
  Index at = array + 1;
  for (; position != 0; --position) at = values[at].next;
  return at;
}

std::optional<Index> Document::member(Index object, std::string_view key) const {
  std::optional<Index> found;
  each_member(object, [&](Index name_at, Index value) {
    if (string(name_at) == key) found = value;
    return !found;
  });
  return found;
}

std::string Document::compact(Index at) const {
  std::string bytes;
  bool in_string = false, escaped = false;
  for (const char c : text.substr(values[at].begin, values[at].end - values[at].begin)) {
    if (!in_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) continue;
    bytes += c;
    if (c == '"' && !escaped) in_string = !in_string;
    escaped = in_string && c == '\\' && !escaped;
  }
  return bytes;
}

std::string Document::describe(Index at) const {
  const Value& value = values[at];
  switch (value.kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return std::string(text.substr(value.begin, value.end - value.begin));
    case Kind::number:
      return fmt::format("the number {}",
                         text.substr(value.begin, std::min<std::size_t>(value.end - value.begin, 30)));
    case Kind::string:
    case Kind::key:
      return in_quotes(string(at));
    case Kind::array:
      return value.next == at + 1 ? "an empty list" : "a list";
    case Kind::object:
      return "an object";
  }
  return "";
}

std::string Document::pointer(Index at) const {
  std::string pointer;
  for (Index container = 0; container < at;) {
    if (kind(container) == Kind::object) {
      each_member(container, [&](Index key, Index value) {
        if (at >= values[value].next) return true;
        pointer += pointer_step(string(key));
        container = at == key ? at : value;
        return false;
      });
    } else {
      std::size_t position = 0;
      each_entry(container, [&](Index entry) {
        if (at < values[entry].next) {
          pointer += fmt::format("/{}", position);
          container = entry;
          return false;
        }
        ++position;
        return true;
      });
    }
  }
  return pointer;
}

std::string Document::place(Index at) const { return place_of(name, text, values[at].begin); }

Error Document::error(Index at, std::string_view found, std::string_view expected, std::string hint) const {
  return {ErrorCode::bad_input, place(at), complaint(pointer(at), found, expected), std::move(hint)};
}

std::string place_of(std::string_view name, std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::string_view in_line = before.substr(before.rfind('\n') + 1);  // npos + 1 is 0
  const auto column =
      1 + in_line.size() -
      static_cast<std::size_t>(std::count_if(in_line.begin(), in_line.end(), continues_character));
  return fmt::format("{}:{}:{}", name, line, column);
}

std::string in_quotes(std::string_view bytes) {
  std::string text = "\"";
  for (std::size_t at = 0; at < bytes.size();) {
    if (at >= kLongestQuote) return text + "…\"";
    const std::size_t length = character_length(bytes.substr(at));
    const auto byte = static_cast<unsigned char>(bytes[at]);
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += bytes.substr(at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  return text + "\"";
}

std::string pointer_step(std::string_view key) {
  std::string step = "/";
  for (const char c : key) {
    if (c == '~') {
      step += "~0";
    } else if (c == '/') {
      step += "~1";
    } else {
      step += c;
    }
  }
  return step;
}

std::string complaint(std::string_view pointer, std::string_view found, std::string_view expected) {
  const std::string where = pointer.empty() ? "" : fmt::format("({}) ", pointer);
  return fmt::format("{}found {}, expected {}", where, found, expected);
}

}  // namespace jackal::hostfile
