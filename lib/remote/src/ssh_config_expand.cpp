#include <fmt/format.h>

#include <algorithm>

#include "ssh_config_chosen.hpp"

namespace jackal::remote {
namespace {

std::string jump_host(const Chosen& settings) {
  const Setting* jump = settings.find("ProxyJump");
  if (jump == nullptr) return "";
  const auto jumps = parse_jumps(jump->rest);
  return jumps ? jumps->back().host : "";
}

std::string token(char letter, const Choice& choice, const Destination& destination,
                  const Surroundings& surroundings) {
  const Chosen& settings = choice.settings;
  const auto or_else = [](std::string_view value, std::string_view otherwise) {
    return std::string(value.empty() ? otherwise : value);
  };
  switch (letter) {
    case 'd':
      return surroundings.home;
    case 'h':
      return choice.host;
    case 'i':
      return surroundings.uid;
    case 'j':
      return jump_host(settings);
    case 'k':
      return or_else(lower_case(settings.value("HostKeyAlias")), destination.host);
    case 'L':
      return surroundings.host_name.substr(0, surroundings.host_name.find('.'));
    case 'l':
      return surroundings.host_name;
    case 'n':
      return destination.host;
    case 'p':
      return or_else(settings.value("Port"), "22");
    case 'r':
      return or_else(settings.value("User"), surroundings.user);
    case 'u':
      return surroundings.user;
    default:
      return std::string(1, letter);
  }
}

/// The variable whose `${NAME}` begins `text`; takes it off.
Result<std::string> take_variable(std::string_view& text, const std::string& place,
                                  const Surroundings& surroundings) {
  const std::size_t end = text.find('}');
  if (end == std::string_view::npos) return fail(config_error(place, "${ without its }"));
  const std::string name(text.substr(2, end - 2));
  const auto value = surroundings.variable(name);
  if (name.empty() || !value) {
    return fail(config_error(place, fmt::format("the environment has no variable {}", name)));
  }
  text.remove_prefix(end + 1);
  return *value;
}

}  // namespace

Result<std::string> expand(std::string_view text, const Expansion& expansion, const std::string& place,
                           const Choice& choice, const Destination& destination,
                           const Surroundings& surroundings) {
  std::string expanded;
  while (!text.empty()) {
    if (expansion.variables && text.substr(0, 2) == "${") {
      const auto value = take_variable(text, place, surroundings);
      if (!value) return fail(value.error());
      expanded += *value;
    } else if (text.front() != '%') {
      expanded += text.front();
      text.remove_prefix(1);
    } else {
      const char letter = text.size() > 1 ? text[1] : '\0';
      if (letter != '%' && (letter == '\0' || expansion.allowed.find(letter) == std::string_view::npos)) {
        return fail(config_error(place, fmt::format("unknown token {}, expected %% or % and one of {}",
                                                    text.substr(0, 2), expansion.allowed)));
      }
      expanded += token(letter, choice, destination, surroundings);
      text.remove_prefix(2);
    }
  }
  return expanded;
}

}  // namespace jackal::remote
