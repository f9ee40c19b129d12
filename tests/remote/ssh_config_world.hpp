// A machine made of a map of files, for tests of the configuration reader.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "jackal/remote/ssh_config.hpp"

namespace jackal::remote::test {

struct World {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> variables;
  std::vector<std::string> commands_that_succeed;

  /// Borrows this world, which must outlive what is made of it. Its globs know one `*`, as the last pattern
  /// part.
  Surroundings surroundings() const {
    Surroundings result;
    result.user = "me";
    result.home = "/home/me";
    result.uid = "1000";
    result.host_name = "desk.example.org";
    result.variable = [this](const std::string& name) { return look_up(variables, name); };
    result.home_of = [](const std::string& user) {
      return user == "ann" ? std::optional<std::string>("/home/ann") : std::nullopt;
    };
    result.read = [this](const std::string& path, Surroundings::Check) -> Result<std::string> {
      const auto text = look_up(files, path);
      if (text) return *text;
      return fail({ErrorCode::not_found, path, "cannot open: No such file or directory", ""});
    };
    result.glob = [this](const std::string& pattern) {
      const std::size_t star = pattern.find('*');
      std::vector<std::string> paths;
      for (const auto& [path, text] : files) {
        const bool matches =
            star == std::string::npos ? path == pattern : path.compare(0, star, pattern, 0, star) == 0;
        if (matches) paths.push_back(path);
      }
      return paths;
    };
    result.run = [this](const std::string& command) -> Result<bool> {
      for (const std::string& good : commands_that_succeed) {
        if (good == command) return true;
      }
      return false;
    };
    return result;
  }

private:
  static std::optional<std::string> look_up(const std::map<std::string, std::string>& map,
                                            const std::string& key) {
    const auto found = map.find(key);
    return found == map.end() ? std::nullopt : std::optional<std::string>(found->second);
  }
};

}  // namespace jackal::remote::test
