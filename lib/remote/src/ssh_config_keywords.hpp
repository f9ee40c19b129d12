// Every keyword that OpenSSH's client knows (9.2 and later, Debian's and Apple's additions), what its value
// looks like, and what becomes of it here.
#pragma once

#include <string>
#include <string_view>

namespace jackal::remote {

enum class Value {
  flag,      // yes or no
  word,      // one word
  words,     // one or more; "none" only alone
  rest,      // the rest of the line as it stands, comments and quotes included
  number,    // decimal, not negative
  port,      // 1 to 65535
  time,      // seconds, or OpenSSH's 1h30m
  strict,    // StrictHostKeyChecking's
  family,    // AddressFamily's
  jump,      // ProxyJump's
  anything,  // one or more words that nobody here looks at
};

enum class Effect {
  structure,         // Host, Match, Include, IgnoreUnknown: used while reading
  honoured,          // ends in a field of HostSettings
  harmless,          // nobody of ours can tell the difference
  lost,              // `ssh` would have behaved differently: the user is told
  explains_refusal,  // may let `ssh` in where we are refused
};

struct Keyword {
  std::string_view name;  // as the manual writes it
  Value value;
  Effect effect;
  bool accumulates = false;          // every line counts, not only the first
  std::string_view stands_for = {};  // the keyword this is another name of

  std::string_view key() const { return stands_for.empty() ? name : stands_for; }
};

/// The keyword, in any case; nullptr for one that OpenSSH does not know.
const Keyword* find_keyword(std::string_view name);

bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string lower_case(std::string_view text);  // ASCII only

}  // namespace jackal::remote
