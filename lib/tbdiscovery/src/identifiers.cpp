#include "identifiers.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "jackal/tbdiscovery/ipv4.hpp"
#include "lines.hpp"

namespace jackal::tbdiscovery {
namespace {

bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool all_hex(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_hex); }

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool is_uuid(std::string_view token) {
  const auto parts = split(token, '-');
  constexpr std::size_t kLengths[] = {8, 4, 4, 4, 12};
  if (parts.size() != std::size(kLengths)) return false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].size() != kLengths[i] || !all_hex(parts[i])) return false;
  }
  return true;
}

bool has_groups(std::string_view token, std::size_t count, std::size_t shortest, std::size_t longest) {
  const auto parts = split(token, ':');
  return parts.size() == count && std::all_of(parts.begin(), parts.end(), [&](std::string_view part) {
           return all_hex(part) && part.size() >= shortest && part.size() <= longest;
         });
}

bool is_ipv6(std::string_view token) {
  in6_addr ignored{};
  return token.size() < INET6_ADDRSTRLEN && std::count(token.begin(), token.end(), ':') >= 2 &&
         ::inet_pton(AF_INET6, std::string(token).c_str(), &ignored) == 1;
}

std::optional<Identifier> kind_of(std::string_view token) {
  if (is_uuid(token)) return Identifier::uuid;
  if (token.size() >= 14 && token.substr(0, 2) == "0x" && all_hex(token.substr(2))) return Identifier::uid;
  if (has_groups(token, 6, 1, 2)) return Identifier::mac;
  if (is_ipv6(token)) return Identifier::ipv6;
  if (has_groups(token, 4, 4, 4)) return Identifier::guid;
  if (token.size() == 16 && all_hex(token)) return Identifier::guid;
  if (parse_ipv4(token)) return Identifier::ipv4;
  return std::nullopt;
}

/// One to three octets, with or without a prefix, as netstat writes networks.
bool is_cut_network(std::string_view token) {
  const auto parts = split(token.substr(0, token.find('/')), '.');
  return parts.size() <= 4 && (parts.size() > 1 || token.find('/') != std::string_view::npos) &&
         std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           return !part.empty() && part.size() <= 3 && std::all_of(part.begin(), part.end(), is_digit);
         });
}

/// What an identifier may consist of. A colon ends "key:" too, so the longest run is tried first, then
/// shorter ones.
std::size_t run_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && length < 64 &&
         (is_hex(text[length]) || text[length] == ':' || text[length] == '.' || text[length] == '-' ||
          (text[length] == 'x' && length == 1)))
    ++length;
  return length;
}

/// Whether an identifier may begin here: not within a word, nor behind the first groups of a longer one.
bool may_begin(std::string_view text, std::size_t at) {
  if (!is_hex(text[at]) && !(text[at] == ':' && at + 1 < text.size() && text[at + 1] == ':')) return false;
  if (at == 0) return true;
  const char before = text[at - 1];
  if (is_word(before) || before == '.' || before == '-') return false;
  if (before != ':') return true;
  // "address:02:8b:…" and "gids/0:fe80:…" begin behind the colon, "02:8b" within a longer one does not.
  std::size_t start = at - 1;
  while (start > 0 && is_word(text[start - 1])) --start;
  const auto word = text.substr(start, at - 1 - start);
  return !all_hex(word) || (start > 0 && text[start - 1] == '/');
}

/// Whether what ended before `at` may be whole: no word and no further group goes on there.
bool may_end(std::string_view text, std::size_t at) {
  if (at >= text.size()) return true;
  if (is_word(text[at])) return false;
  const bool joins = text[at] == ':' || text[at] == '.' || text[at] == '-';
  return !joins || at + 1 >= text.size() || !is_hex(text[at + 1]);
}

std::size_t cut_network_length(std::string_view line) {
  std::size_t length = 0;
  while (length < line.size() && (is_digit(line[length]) || line[length] == '.' || line[length] == '/'))
    ++length;
  return is_cut_network(line.substr(0, length)) ? length : 0;
}

}  // namespace

std::string replace_identifiers(std::string_view text, bool cut_networks, const StandIn& stand_in) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (cut_networks && (at == 0 || text[at - 1] == '\n')) {
      if (const auto length = cut_network_length(text.substr(at)); length > 0) {
        out += stand_in(Identifier::network4, text.substr(at, length));
        at += length;
        continue;
      }
    }
    std::size_t length = may_begin(text, at) ? run_length(text.substr(at)) : 0;
    std::optional<Identifier> kind;
    for (; length >= 3; --length) {
      if (may_end(text, at + length) && (kind = kind_of(text.substr(at, length)))) break;
    }
    if (kind) {
      out += stand_in(*kind, text.substr(at, length));
      at += length;
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::string replace_words(std::string_view text, const Words& words) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const bool begins = at == 0 || !is_word(text[at - 1]);
    const auto found =
        !begins ? words.end() : std::find_if(words.begin(), words.end(), [&](const auto& entry) {
          const auto end = at + entry.first.size();
          return text.compare(at, entry.first.size(), entry.first) == 0 &&
                 (end >= text.size() || !is_word(text[end]));
        });
    if (found != words.end()) {
      out += found->second;
      at += found->first.size();
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::vector<std::string> serial_numbers(std::string_view text) {
  std::vector<std::string> found;
  for (const auto line : lines_of(text)) {
    const auto [key, value] = key_value(line);
    if (lower(key).find("serial") == std::string::npos) continue;
    const auto first = value.find_first_not_of("\" ");
    if (first == std::string_view::npos) continue;
    const auto serial = value.substr(first, value.find_last_not_of("\", ") + 1 - first);
    if (serial.size() >= 4) found.emplace_back(serial);
  }
  return found;
}

}  // namespace jackal::tbdiscovery
