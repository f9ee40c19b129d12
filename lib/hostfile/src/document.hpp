// A JSON text with the position of every value, so that whoever finds a value wrong can say where it stands.
// Flat: the values lie in one array in the order of the text, a container before what it contains. In an
// object every key is a value of its own, followed by what it names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"

namespace jackal::hostfile {

enum class Kind : std::uint8_t { null, boolean, number, string, key, array, object };

struct Value {
  Kind kind = Kind::null;
  std::uint32_t begin = 0;  // where it stands in the text
  std::uint32_t end = 0;
  std::uint32_t next = 0;          // index of the first value behind this one and all that it contains
  std::uint32_t string_begin = 0;  // strings and keys: the decoded bytes in Document::strings
  std::uint32_t string_size = 0;
};

/// Index of a value in Document::values; the outermost one is 0.
using Index = std::size_t;

struct Document {
  std::string_view name;  // the file, for messages; outlives the document, as does text
  std::string_view text;
  std::vector<Value> values;
  std::string strings;

  Kind kind(Index at) const { return values[at].kind; }
  std::string_view string(Index at) const;
  std::size_t count(Index container) const;  // entries of an array, members of an object
  Index entry(Index array, std::size_t position) const;
  std::optional<Index> member(Index object, std::string_view key) const;

  /// Calls visit(value) for each entry of an array until one returns false; whether none did.
  template <class Visit>
  bool each_entry(Index array, Visit visit) const {
    for (Index at = array + 1; at < values[array].next; at = values[at].next) {
      if (!visit(at)) return false;
    }
    return true;
  }
  /// The same for an object: visit(key, value).
  template <class Visit>
  bool each_member(Index object, Visit visit) const {
    for (Index at = object + 1; at < values[object].next; at = values[at + 1].next) {
      if (!visit(at, at + 1)) return false;
    }
    return true;
  }

  /// The value's own text without the whitespace between tokens.
  std::string compact(Index at) const;
  /// "null", "the number 7", "\"mac1\"", "a list", …, for "found …".
  std::string describe(Index at) const;
  /// The JSON pointer (RFC 6901); empty for the outermost value.
  std::string pointer(Index at) const;
  /// "hosts.json:3:7".
  std::string place(Index at) const;
  /// "place: (pointer) found …, expected …".
  Error error(Index at, std::string_view found, std::string_view expected, std::string hint = "") const;
};

/// The most bytes that a host file may have: a mesh of 128 hosts with all its links has 3 MiB.
inline constexpr std::size_t kLargestFile = 16 << 20;

/// Reads `text`, checking all that JSON itself asks for, that no object has a key twice, and limits on size
/// and depth. `text` must not begin with a byte order mark.
Result<Document> read_document(std::string_view text, std::string_view name);

/// "name:line:column" of a byte; lines and columns count from 1, a column is one character (code point).
std::string place_of(std::string_view name, std::string_view text, std::size_t offset);
/// The bytes in double quotes, shortened when long, unprintable ones as \xNN.
std::string in_quotes(std::string_view bytes);
/// One step of a JSON pointer: "/" and the key with ~ and / escaped.
std::string pointer_step(std::string_view key);
/// `what` of every error of this room: "(pointer) found …, expected …".
std::string complaint(std::string_view pointer, std::string_view found, std::string_view expected);

}  // namespace jackal::hostfile
