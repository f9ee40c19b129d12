#include "cli/reading.hpp"

namespace jackal::cli {
namespace {

bool is_variable_name(std::string_view name) {
  const auto is_part = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(), is_part);
}

}  // namespace

tl::unexpected<Error> usage(std::string_view flag, std::string what, std::string hint) {
  return fail({ErrorCode::usage, std::string(flag), std::move(what), std::move(hint)});
}

Result<std::pair<std::string, std::string>> variable(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) {
    return usage("--env",
                 "'" + text + "' has no =", "write --env " + text + "=VALUE; the value may be empty");
  }
  const std::string name = text.substr(0, equals);
  if (!is_variable_name(name)) {
    return usage("--env", "'" + name + "' is no name of a variable",
                 "use letters, digits and _, and no digit first");
  }
  return std::pair{name, text.substr(equals + 1)};
}

Result<hostfile::Backend> backend(const std::string& name) {
  if (const auto known = hostfile::backend_from(name)) return *known;
  const std::string near = hostfile::backend_suggestion(name);
  return usage("--backend", "'" + name + "' is no backend",
               near.empty() ? "it is one of " + std::string(hostfile::backend_names()) : near);
}

}  // namespace jackal::cli
