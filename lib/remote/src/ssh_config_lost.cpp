#include "ssh_config_lost.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "jackal/base/text.hpp"

namespace jackal::remote {
namespace {

bool is_off(std::string_view value) {
  constexpr std::string_view kOff[] = {"no", "false", "off", "none"};
  return std::any_of(std::begin(kOff), std::end(kOff),
                     [value](std::string_view off) { return equals_ignoring_case(value, off); });
}

/// Locale names are in Debian's /etc/ssh/ssh_config, and a launched program does not miss them.
bool sends_more_than_locale(const Setting& setting) {
  return std::any_of(setting.words.begin(), setting.words.end(), [](std::string_view name) {
    return name != "LANG" && name.substr(0, 3) != "LC_" && name.substr(0, 1) != "-";
  });
}

bool matters(const Setting& setting, const Chosen& settings) {
  const std::string_view key = setting.keyword->key();
  const std::string_view value = setting.words.empty() ? std::string_view() : setting.words.front();
  if (key == "SendEnv") return sends_more_than_locale(setting);
  if (key == "SetEnv") return true;
  if (key == "LocalForward" || key == "RemoteForward" || key == "DynamicForward") {
    return !settings.says_yes("ClearAllForwardings");
  }
  if (key == "LocalCommand") return settings.says_yes("PermitLocalCommand") && !is_off(value);
  if (key == "ConnectionAttempts") return parse_integer<int>(value).value_or(1) > 1;
  // Ours authenticates with public keys and nothing else.
  if (key == "PubkeyAuthentication") return is_off(value);
  if (key == "PreferredAuthentications") return value.find("publickey") == std::string_view::npos;
  return !is_off(value);
}

}  // namespace

std::vector<std::string> settings_that_matter(const Chosen& settings, Effect effect) {
  std::vector<std::string> names;
  std::vector<std::string_view> seen;
  for (const Setting& setting : settings.all()) {
    const std::string_view key = setting.keyword->key();
    if (setting.keyword->effect != effect || !matters(setting, settings)) continue;
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
    seen.push_back(key);
    names.push_back(fmt::format("{} ({})", key, setting.place));
  }
  return names;
}

}  // namespace jackal::remote
