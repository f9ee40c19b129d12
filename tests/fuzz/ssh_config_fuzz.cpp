// Any text as the user's configuration and as what it includes, for any destination: no crash, no endless
// recursion, and jump hosts that parse again.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "jackal/remote/ssh_config.hpp"

using jackal::ErrorCode;
using jackal::remote::SshConfig;
using jackal::remote::Surroundings;

namespace {

Surroundings fuzzed_machine(const std::string& user_file, const std::string& other_file) {
  Surroundings machine;
  machine.user = "me";
  machine.home = "/home/me";
  machine.uid = "1000";
  machine.host_name = "desk.lan";
  machine.variable = [](const std::string& name) {
    return name == "X" ? std::optional<std::string>("value") : std::nullopt;
  };
  machine.home_of = [](const std::string&) { return std::optional<std::string>("/home/other"); };
  machine.read = [&](const std::string& path, Surroundings::Check) -> jackal::Result<std::string> {
    if (path == "/home/me/.ssh/config") return user_file;
    if (path == "/home/me/.ssh/a") return other_file;
    return jackal::fail({ErrorCode::not_found, path, "", ""});
  };
  machine.glob = [](const std::string& pattern) { return std::vector<std::string>{pattern}; };
  machine.run = [](const std::string& command) -> jackal::Result<bool> { return command.size() % 2 == 0; };
  return machine;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::size_t first = std::min(input.find('\n'), size);
  const std::size_t second = std::min(input.find("\n\n", first), size);
  const std::string destination = input.substr(0, first);
  const std::string user_file = input.substr(std::min(first + 1, size), second - std::min(first + 1, second));
  const std::string other_file = input.substr(second);
  const auto config = SshConfig::load(fuzzed_machine(user_file, other_file));
  if (!config) return 0;
  const auto host = config->resolve(destination);
  const auto route = config->route(destination);
  if (route && (!host || route->empty() || route->back().hostname != host->hostname)) std::abort();
  return 0;
}
