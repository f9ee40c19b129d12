#include "host_settings.hpp"

#include <map>

namespace jackal::remote {

Result<HostSettings> load_host_settings(const NodeOptions& options) {
  static std::map<std::string, SshConfig> read;  // by file
  const std::string file = options.ssh_config ? options.ssh_config->string() : "";
  auto found = read.find(file);
  if (found == read.end()) {
    auto config = SshConfig::load(this_machine(), options.ssh_config ? std::optional(file) : std::nullopt);
    if (!config) return fail(config.error());
    found = read.emplace(file, std::move(*config)).first;
  }
  return found->second.resolve(options.name);
}

}  // namespace jackal::remote
