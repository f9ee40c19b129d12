// The library's parser reports values without saying where they stand. Here it reads through an iterator that
// records how far it has come, and since between two events lie only whitespace and at most one separator,
// the start of each token follows from the end of the one before.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "document.hpp"

namespace jackal::hostfile {
namespace {

constexpr int kNumberOverflow = 406;  // the library's number for it
constexpr std::size_t kDeepest = 64;  // a host file needs 6 levels; unknown keys may hold some more

class Cursor {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Cursor(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  Cursor& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  Cursor operator++(int) {
    Cursor old = *this;
    ++*this;
    return old;
  }
  bool operator==(const Cursor& other) const { return at_ == other.at_; }
  bool operator!=(const Cursor& other) const { return at_ != other.at_; }

private:
  const char* at_;
  const char** reached_;  // the builder's, which outlives the parse
};

/// Takes the parser's events, in the form that nlohmann::json::sax_parse wants.
class Builder {
public:
  Builder(std::string_view text, std::string_view name) : reached_(text.data()) {
    document_.text = text;
    document_.name = name;
  }

  Result<Document> run() {
    const char* begin = document_.text.data();
    const char* end = begin + document_.text.size();
    const bool read = nlohmann::json::sax_parse(Cursor(begin, &reached_), Cursor(end, &reached_), this);
    if (!read) return fail(std::move(error_));
    return std::move(document_);
  }

  bool null() { return add(Kind::null); }
  bool boolean(bool) { return add(Kind::boolean); }
  bool number_integer(std::int64_t) { return add(Kind::number); }
  bool number_unsigned(std::uint64_t) { return add(Kind::number); }
  bool number_float(double, const std::string&) { return add(Kind::number); }
  bool string(const std::string& bytes) { return add(Kind::string, bytes); }
  bool binary(nlohmann::json::binary_t&) { return false; }  // not in JSON text
  bool start_object(std::size_t) { return open(Kind::object); }
  bool start_array(std::size_t) { return open(Kind::array); }
  bool end_object() { return unique_keys() && close(); }
  bool end_array() { return close(); }
  bool key(const std::string& bytes) {
    add(Kind::key, bytes);
    after_ = After::key;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& exception);

private:
  enum class After { nothing, opening, key, value };
  struct Open {
    Index container;
    std::size_t entries = 0;
  };

  /// Where the token that the parser has just read begins; `separated` tells whether a comma or colon that
  /// belongs there precedes it.
  struct Start {
    std::size_t offset;
    bool separated;
  };
  Start token_start() const;
  std::size_t token_end(Kind kind, std::size_t begin) const;
  std::size_t skip_whitespace(std::size_t offset) const;
  bool in_object() const { return !open_.empty() && document_.kind(open_.back().container) == Kind::object; }

  bool add(Kind kind, std::string_view bytes = {});
  bool open(Kind kind);
  bool close();
  bool unique_keys();

  std::string pointer(bool value_expected) const;
  std::string expected(bool separated) const;
  std::string found(std::size_t offset) const;
  std::string hint(const Start& start) const;

  Document document_;
  Error error_;
  std::vector<Open> open_;
  const char* reached_;  // behind the last byte that the parser took
  std::size_t end_ = 0;  // behind the last token that became an event
  After after_ = After::nothing;
};

std::size_t Builder::skip_whitespace(std::size_t offset) const {
  return std::min(document_.text.find_first_not_of(" \t\r\n", offset), document_.text.size());
}

Builder::Start Builder::token_start() const {
  const std::size_t offset = skip_whitespace(end_);
  const char wanted = after_ == After::key ? ':' : ',';
  const bool may_be_separated = after_ == After::key || (after_ == After::value && !open_.empty());
  if (!may_be_separated || offset == document_.text.size() || document_.text[offset] != wanted) {
    return {offset, false};
  }
  return {skip_whitespace(offset + 1), true};
}

std::size_t Builder::token_end(Kind kind, std::size_t begin) const {
  // To see that a number has ended the parser takes one byte more.
  if (kind != Kind::number) return static_cast<std::size_t>(reached_ - document_.text.data());
  return std::min(document_.text.find_first_not_of("+-.0123456789eE", begin), document_.text.size());
}

bool Builder::add(Kind kind, std::string_view bytes) {
  const std::size_t begin = token_start().offset;
  end_ = token_end(kind, begin);
  if (!open_.empty() && kind != Kind::key) ++open_.back().entries;
  Value value;
  value.kind = kind;
  value.begin = static_cast<std::uint32_t>(begin);
  value.end = static_cast<std::uint32_t>(end_);
  value.next = static_cast<std::uint32_t>(document_.values.size() + 1);
  value.string_begin = static_cast<std::uint32_t>(document_.strings.size());
  value.string_size = static_cast<std::uint32_t>(bytes.size());
  document_.values.push_back(value);
  document_.strings += bytes;
  after_ = After::value;
  return true;
}

bool Builder::open(Kind kind) {
  if (open_.size() == kDeepest) {
    error_ = {ErrorCode::bad_input, place_of(document_.name, document_.text, token_start().offset),
              complaint(pointer(true), fmt::format("nesting of more than {} levels", kDeepest),
                        "a host file, which needs 6"),
              ""};
    return false;
  }
  add(kind);
  open_.push_back({document_.values.size() - 1});
  after_ = After::opening;
  return true;
}

bool Builder::close() {
  end_ = token_end(Kind::array, 0);
  Value& container = document_.values[open_.back().container];
  container.end = static_cast<std::uint32_t>(end_);
  container.next = static_cast<std::uint32_t>(document_.values.size());
  open_.pop_back();
  after_ = After::value;
  return true;
}

bool Builder::unique_keys() {
  Value& object = document_.values[open_.back().container];
  object.next = static_cast<std::uint32_t>(document_.values.size());
  std::vector<Index> keys;
  document_.each_member(open_.back().container, [&](Index key, Index) {
    keys.push_back(key);
    return true;
  });
  std::stable_sort(keys.begin(), keys.end(),
                   [&](Index a, Index b) { return document_.string(a) < document_.string(b); });
  const auto twice = std::adjacent_find(
      keys.begin(), keys.end(), [&](Index a, Index b) { return document_.string(a) == document_.string(b); });
  if (twice == keys.end()) return true;
  // The containers around are still open, so the pointer comes from what is open.
  const Index second = *(twice + 1);
  const std::string key(document_.string(second));
  error_ = {ErrorCode::bad_input, document_.place(second),
            complaint(pointer(false) + pointer_step(key), "the key " + in_quotes(key) + " a second time",
                      "each key once; the first is at " + document_.place(*twice)),
            "readers differ in which of the two they take: remove one"};
  return false;
}

std::string Builder::pointer(bool value_expected) const {
  std::string pointer;
  for (std::size_t level = 0; level < open_.size(); ++level) {
    const Open& open = open_[level];
    const bool innermost = level + 1 == open_.size();
    if (document_.kind(open.container) == Kind::array) {
      if (!innermost) pointer += fmt::format("/{}", open.entries - 1);
      if (innermost && value_expected) pointer += fmt::format("/{}", open.entries);
    } else if (!innermost || after_ == After::key) {
      const Index child = innermost ? document_.values.size() : open_[level + 1].container;
      pointer += pointer_step(document_.string(child - 1));
    }
  }
  return pointer;
}

std::string Builder::expected(bool separated) const {
  if (after_ == After::nothing) return "a list or an object";
  if (open_.empty()) return "the end of the file";
  if (after_ == After::key) return separated ? "a value" : "':'";
  if (after_ == After::opening) return in_object() ? "a key in double quotes or '}'" : "a value or ']'";
  if (separated) return in_object() ? "a key in double quotes" : "a value";
  return in_object() ? "',' or '}'" : "',' or ']'";
}

std::string Builder::found(std::size_t offset) const {
  const std::string_view rest = document_.text.substr(offset);
  if (rest.empty()) return document_.text.empty() ? "an empty file" : "the end of the file";
  if (rest[0] == '"') return in_quotes(rest.substr(1, rest.find('"', 1) - 1));
  const std::string_view word = rest.substr(0, std::min(rest.find_first_of(" \t\r\n,:[]{}\""), rest.size()));
  return word.empty() ? fmt::format("'{}'", rest[0]) : in_quotes(word);
}

std::string Builder::hint(const Start& start) const {
  const std::string_view rest = document_.text.substr(start.offset);
  if (rest.empty()) return open_.empty() ? "man jackal-hostfile shows the format" : "";
  const char c = rest[0];
  if (start.separated && (c == ']' || c == '}')) {
    return "remove the comma before it: JSON allows none after the last entry";
  }
  if (c == '\'') return "JSON strings take double quotes";
  if (c == '#' || c == '/') return "JSON has no comments";
  if (after_ == After::nothing) return "a host file is JSON: man jackal-hostfile shows the format";
  return "";
}

/// What the library's lexer has against a token, of "… - invalid string: …; last read: …".
std::string lexical_reason(std::string_view message) {
  const std::size_t dash = message.find(" - invalid ");
  if (dash == std::string_view::npos) return "";
  message.remove_prefix(dash + 3);
  return std::string(message.substr(0, message.find("; last read")));
}

bool Builder::parse_error(std::size_t, const std::string&, const nlohmann::json::exception& exception) {
  const Start start = token_start();
  std::size_t offset = start.offset;
  std::string what = found(offset), wanted = expected(start.separated), hint_text = hint(start);
  const std::string reason = lexical_reason(exception.what());
  if (reason.starts_with("invalid string")) {
    what = "an " + reason;
    wanted = "a closing quote";
    if (reason.find("missing closing quote") == std::string::npos) {  // otherwise it is the opening one
      offset = token_end(Kind::string, 0) - 1;
      wanted = "text as JSON writes it, in UTF-8";
      if (document_.text[offset] == '\n') hint_text = "is the closing quote missing?";
    }
  } else if (reason.starts_with("invalid number")) {
    what += ", an " + reason;
  } else if (exception.id == kNumberOverflow) {
    what += ", a number out of range";
  }
  const bool value_expected = start.separated || after_ == After::opening;
  error_ = {ErrorCode::bad_input, place_of(document_.name, document_.text, offset),
            complaint(pointer(value_expected), what, wanted), hint_text};
  return false;
}

}  // namespace

Result<Document> read_document(std::string_view text, std::string_view name) {
  return Builder(text, name).run();
}

}  // namespace jackal::hostfile
