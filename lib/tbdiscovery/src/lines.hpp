// Reading other programs' text: lines and words, tolerant of CRLF, tabs and a last line without an end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jackal::tbdiscovery {

std::string_view trim(std::string_view text);
std::vector<std::string_view> lines_of(std::string_view text);
std::vector<std::string_view> words_of(std::string_view text);
/// How many spaces (a tab counts as one) stand before the first other character.
std::size_t indent_of(std::string_view line);
std::string upper(std::string_view text);
std::string lower(std::string_view text);

struct KeyValue {
  std::string_view key;    // trimmed; empty when the line has no "key: value" shape
  std::string_view value;  // trimmed
};

/// "Device Name: Mac mini" → its two halves, cut at the first colon.
KeyValue key_value(std::string_view line);

/// The number in "Up to 120 Gb/s" or "20.0 Gb/s"; 0 when there is none.
double gigabits_in(std::string_view text);

/// `bytes` with everything that is not UTF-8 replaced by '?', so that one stray byte does not cost the whole
/// text.
std::string valid_utf8(std::string_view bytes);
/// UTF-8 without control characters, so that no name can redraw a terminal or begin a line of its own.
std::string printable(std::string_view text);

/// "en5", "thunderbolt0.2": what may stand in a script without being quoted.
bool is_interface_name(std::string_view name);

}  // namespace jackal::tbdiscovery
