#include "jackal/remote/command.hpp"

#include <algorithm>

namespace jackal::remote {
namespace {

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  const auto letter_or_digit = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && letter(name.front()) && std::all_of(name.begin(), name.end(), letter_or_digit);
}

}  // namespace

Result<void> check_environment(const Command& command) {
  const auto refuse = [](const std::string& name) {
    return fail({ErrorCode::usage, "", "\"" + name + "\" cannot be the name of an environment variable",
                 "Names are letters, digits and _, and do not start with a digit."});
  };
  for (const auto& [name, value] : command.environment) {
    if (!is_variable_name(name)) return refuse(name);
  }
  for (const File& file : command.files) {
    if (!file.variable.empty() && !is_variable_name(file.variable)) return refuse(file.variable);
  }
  return {};
}

}  // namespace jackal::remote
