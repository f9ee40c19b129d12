#include "ssh_config_chosen.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "ssh_config_pattern.hpp"
#include "ssh_config_values.hpp"

namespace jackal::remote {
namespace {

/// The usual spelling of a numeric address; nullopt for a name.
std::optional<std::string> numeric_address(const std::string& host) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
  std::array<char, 128> text{};
  const int failed =
      ::getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  ::freeaddrinfo(found);
  return failed == 0 ? std::optional<std::string>(text.data()) : std::nullopt;
}

/// One reading of all files, top to bottom. With Match final there are two: in the second, Host matches what
/// HostName gave, and values of the first stay.
class Pass {
public:
  Pass(Choice& choice, const Destination& destination, const Surroundings& surroundings, bool final)
      : choice_(choice), destination_(destination), surroundings_(surroundings), final_(final) {}

  Result<void> read(const ConfigFile& file, bool may_match) {
    bool active = may_match;
    for (const ConfigLine& line : file.lines) {
      const auto done = read_line(line, may_match, active);
      if (!done) return done;
    }
    return {};
  }
  bool wants_final() const { return wants_final_; }

private:
  Result<void> read_line(const ConfigLine& line, bool may_match, bool& active) {
    if (line.keyword == nullptr) return check_unknown(line);
    const std::string_view name = line.keyword->name;
    if (name == "Host") return select_host(line, may_match, active);
    if (name == "Match") return select_match(line, may_match, active);
    if (name == "Include") {
      for (const ConfigFile& file : line.included) {
        const auto done = read(file, active);
        if (!done) return done;
      }
      return {};
    }
    const auto good = check_value(line);
    if (!good || !active) return good;
    // To OpenSSH a timeout of none is one not yet set.
    if (line.keyword->value == Value::time && line.words.front() == "none") return {};
    const bool jumps = line.keyword->value == Value::jump;
    choice_.settings.add(
        {line.keyword, line.words, jumps ? std::string(jump_list(line.rest)) : line.rest, line.place});
    return {};
  }

  Result<void> check_unknown(const ConfigLine& line) const {
    if (matches_host_list(line.name, choice_.settings.value("IgnoreUnknown"))) return {};
    return fail(config_error(line.place, fmt::format("bad configuration option {}", line.name),
                             "an option that only another ssh knows is allowed by IgnoreUnknown above it"));
  }

  Result<void> select_host(const ConfigLine& line, bool may_match, bool& active) const {
    active = false;
    for (std::string_view pattern : line.words) {
      if (pattern.empty()) return fail(config_error(line.place, "Host has an empty pattern"));
      const bool negated = pattern.front() == '!';
      if (negated) pattern.remove_prefix(1);
      if (!matches_pattern(final_ ? choice_.host : destination_.host, pattern)) continue;
      if (negated) {
        active = false;
        return {};
      }
      active = may_match;
    }
    return {};
  }

  Result<void> select_match(const ConfigLine& line, bool may_match, bool& active) {
    active = may_match;
    int criteria = 0;
    for (std::string_view rest = line.rest;; ++criteria) {
      rest = without_leading_space(rest);
      if (rest.empty() || rest.front() == '#') break;
      const bool negated = rest.front() == '!';
      if (negated) rest.remove_prefix(1);
      const std::size_t end = std::min(rest.find_first_of(" \t="), rest.size());
      const std::string name = lower_case(rest.substr(0, end));
      rest.remove_prefix(end);
      const auto matched = criterion(line, name, rest, active);
      if (!matched) return fail(matched.error());
      if (*matched == negated) active = false;
      if (name != "all") continue;
      rest = without_leading_space(rest);
      if (criteria < 2 && (rest.empty() || rest.front() == '#')) return {};
      return fail(config_error(line.place, "Match all stands alone, or after canonical or final"));
    }
    if (criteria == 0) return fail(config_error(line.place, "Match has no criterion"));
    return {};
  }

  Result<bool> criterion(const ConfigLine& line, const std::string& name, std::string_view& rest,
                         bool still_matching) {
    if (name == "all") return true;
    if (name == "final") wants_final_ = true;
    if (name == "final" || name == "canonical") return final_;
    rest = without_leading_space(rest);
    if (!rest.empty() && rest.front() == '=') rest.remove_prefix(1);
    const auto word = take_word(rest);
    if (!word || !*word || (*word)->empty()) {
      return fail(config_error(line.place, fmt::format("Match {} has no argument", name)));
    }
    const std::string& argument = **word;
    if (name == "host") return matches_host(argument, line.place);
    if (name == "originalhost") return matches_host_list(destination_.host, argument);
    if (name == "user") return matches_list(login(), argument);
    if (name == "localuser") return matches_list(surroundings_.user, argument);
    if (name == "tagged") return matches_list(choice_.settings.value("Tag"), argument);
    if (name == "exec") return still_matching ? run(argument, line.place) : Result<bool>(false);
    return fail(config_error(line.place, fmt::format("Match {} is not supported", name),
                             "the installed ssh may know it: --ssh=system"));
  }

  Result<bool> matches_host(const std::string& argument, const std::string& place) const {
    const auto host = host_so_far(place);
    if (!host) return fail(host.error());
    return matches_host_list(*host, argument);
  }

  Result<bool> run(const std::string& command, const std::string& place) const {
    const auto host = host_so_far(place);
    if (!host) return fail(host.error());
    const Choice so_far{choice_.settings, *host};
    const auto text = expand(command, kOfCommand, place, so_far, destination_, surroundings_);
    if (!text) return fail(text.error());
    auto succeeded = surroundings_.run(*text);
    if (!succeeded) return fail(config_error(place, "Match exec: " + succeeded.error().what));
    return succeeded;
  }

  /// What %h stands for while the files are being read.
  Result<std::string> host_so_far(const std::string& place) const {
    const Setting* name = choice_.settings.find("HostName");
    if (final_ || name == nullptr) return choice_.host;
    return expand(name->words.front(), kOfHostName, place, choice_, destination_, surroundings_);
  }

  std::string_view login() const {
    const std::string_view user = choice_.settings.value("User");
    return user.empty() ? std::string_view(surroundings_.user) : user;
  }

  Choice& choice_;
  const Destination& destination_;
  const Surroundings& surroundings_;
  const bool final_;
  bool wants_final_ = false;
};

Setting typed(std::string_view keyword, const std::string& value) {
  return {find_keyword(keyword), {value}, value, ""};
}

}  // namespace

void Chosen::add(Setting setting) {
  const std::string_view key = setting.keyword->key();
  // Whichever of the two stands first shuts out the other; only `ProxyJump none` leaves room.
  const Setting* jump = find("ProxyJump");
  if (key == "ProxyCommand" && jump != nullptr && !equals_ignoring_case(jump->rest, "none")) return;
  if (key == "ProxyJump" && find("ProxyCommand") != nullptr) return;
  for (const Setting& earlier : settings_) {
    if (earlier.keyword->key() != key) continue;
    if (!setting.keyword->accumulates || earlier.words == setting.words) return;
  }
  settings_.push_back(std::move(setting));
}

const Setting* Chosen::find(std::string_view name) const {
  const auto found = std::find_if(settings_.begin(), settings_.end(),
                                  [name](const Setting& setting) { return setting.keyword->key() == name; });
  return found == settings_.end() ? nullptr : &*found;
}

std::vector<const Setting*> Chosen::find_all(std::string_view name) const {
  std::vector<const Setting*> found;
  for (const Setting& setting : settings_) {
    if (setting.keyword->key() == name) found.push_back(&setting);
  }
  return found;
}

std::string_view Chosen::value(std::string_view name) const {
  const Setting* setting = find(name);
  return setting == nullptr || setting->words.empty() ? std::string_view() : setting->words.front();
}

bool Chosen::says_yes(std::string_view name) const { return parse_flag(value(name)).value_or(false); }

Result<Choice> choose(const std::vector<ConfigFile>& files, const Destination& destination,
                      const Surroundings& surroundings) {
  Choice choice;
  choice.host = destination.host;
  if (destination.user) choice.settings.add(typed("User", *destination.user));
  if (destination.port) choice.settings.add(typed("Port", std::to_string(*destination.port)));
  if (destination.jumps) choice.settings.add(typed("ProxyJump", *destination.jumps));

  Pass first(choice, destination, surroundings, false);
  for (const ConfigFile& file : files) {
    const auto done = first.read(file, true);
    if (!done) return fail(done.error());
  }
  if (const Setting* name = choice.settings.find("HostName")) {
    auto host = expand(name->words.front(), kOfHostName, name->place, choice, destination, surroundings);
    if (!host) return fail(host.error());
    choice.host = std::move(*host);
  }
  choice.host = numeric_address(choice.host).value_or(lower_case(choice.host));

  const std::string_view canonicalize = choice.settings.value("CanonicalizeHostname");
  const bool canonicalizes = parse_flag(canonicalize).value_or(equals_ignoring_case(canonicalize, "always"));
  if (!first.wants_final() && !canonicalizes) return choice;
  Pass last(choice, destination, surroundings, true);
  for (const ConfigFile& file : files) {
    const auto done = last.read(file, true);
    if (!done) return fail(done.error());
  }
  return choice;
}

}  // namespace jackal::remote
