#include "lines.hpp"

#include <algorithm>
#include <array>

namespace jackal::tbdiscovery {
namespace {

constexpr std::string_view kBlank = " \t\r\n\v\f";
constexpr std::size_t kLongestInterface = 15;  // IFNAMSIZ without the end, everywhere

char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Length of the well-formed UTF-8 sequence at the front, 0 for none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) >= 0xA0;
  const bool beyond = first == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

}  // namespace

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.push_back(line);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (;;) {
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return words;
    text.remove_prefix(first);
    const auto end = std::min(text.find_first_of(kBlank), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::size_t indent_of(std::string_view line) { return std::min(line.find_first_not_of(" \t"), line.size()); }

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), to_upper);
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), to_lower);
  return out;
}

KeyValue key_value(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  return {trim(line.substr(0, colon)), trim(line.substr(colon + 1))};
}

double gigabits_in(std::string_view text) {
  const auto unit = lower(text).find("gb");
  if (unit == std::string::npos) return 0;
  const auto before = text.substr(0, unit);
  const auto digit = before.find_first_of("0123456789");
  if (digit == std::string_view::npos) return 0;
  double value = 0;
  double place = 0;  // 0: before the decimal point
  for (const char c : before.substr(digit)) {
    if (c == '.' && place == 0) {
      place = 0.1;
    } else if (is_digit(c)) {
      value = place == 0 ? value * 10 + (c - '0') : value + (c - '0') * place;
      if (place != 0) place /= 10;
      if (value > 1e6) return 0;
    } else {
      break;
    }
  }
  return value;
}

std::string valid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto length = sequence_length(bytes);
    if (length == 0) {
      out += '?';
      bytes.remove_prefix(1);
    } else {
      out += bytes.substr(0, length);
      bytes.remove_prefix(length);
    }
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out = valid_utf8(text);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto byte = static_cast<unsigned char>(out[i]);
    if (byte < 0x20 || byte == 0x7F) out[i] = ' ';
    // U+0080 … U+009F, which some terminals obey too.
    if (byte == 0xC2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xA0)
      out.replace(i, 2, " ");
  }
  return out;
}

bool is_interface_name(std::string_view name) {
  const auto allowed = [](char c) {
    return is_digit(c) || to_upper(c) != c || to_lower(c) != c || c == '.' || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kLongestInterface && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace jackal::tbdiscovery
