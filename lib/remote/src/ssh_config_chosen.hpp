// Which lines of the configuration count for one host: Host, Match and "the first value wins".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jackal/remote/ssh_config.hpp"
#include "ssh_config_destination.hpp"
#include "ssh_config_lines.hpp"

namespace jackal::remote {

struct Setting {
  const Keyword* keyword;
  std::vector<std::string> words;
  std::string rest;   // the words as they stand in the file
  std::string place;  // "~/.ssh/config:12"; empty for what the destination itself says
};

/// The settings that count, in the order in which they were found.
class Chosen {
public:
  void add(Setting setting);
  const Setting* find(std::string_view name) const;
  std::vector<const Setting*> find_all(std::string_view name) const;
  const std::vector<Setting>& all() const { return settings_; }

  /// The first word of the setting; empty when it is not set.
  std::string_view value(std::string_view name) const;
  bool says_yes(std::string_view name) const;

private:
  std::vector<Setting> settings_;
};

/// The settings for a destination, and the name that %h stands for: HostName, or the host itself.
struct Choice {
  Chosen settings;
  std::string host;
};

Result<Choice> choose(const std::vector<ConfigFile>& files, const Destination& destination,
                      const Surroundings& surroundings);

/// Replaces %tokens that are in `allowed` and, where asked for, ${VARIABLES}.
struct Expansion {
  std::string_view allowed;
  bool variables = false;
};
constexpr Expansion kOfHostName{"h", false};
constexpr Expansion kOfProxy{"hnpr", false};
constexpr Expansion kOfCommand{"dhijkLlnpru", false};
constexpr Expansion kOfFile{"dhijkLlnpru", true};

/// `text` expanded with what is chosen so far. An error says which token or variable, at `place`.
Result<std::string> expand(std::string_view text, const Expansion& expansion, const std::string& place,
                           const Choice& choice, const Destination& destination,
                           const Surroundings& surroundings);

}  // namespace jackal::remote
