#include "known_hosts.hpp"

#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "../ssh_algorithms.hpp"

namespace jackal::remote {
namespace {

struct EntryDeleter {
  void operator()(ssh_knownhosts_entry* entry) const { ssh_knownhosts_entry_free(entry); }
};

struct KnownKey {
  std::unique_ptr<ssh_knownhosts_entry, EntryDeleter> entry;
  bool revoked = false;
};

/// The entry of one line, if it is about the host. Lines that nobody understands are passed over, as ssh
/// does.
std::optional<KnownKey> read_line(const std::string& host, std::string line) {
  constexpr std::string_view kRevoked = "@revoked ";
  line.erase(0, line.find_first_not_of(" \t"));
  const bool revoked = line.starts_with(kRevoked);
  if (revoked) line.erase(0, line.find_first_not_of(" \t", kRevoked.size()));
  if (line.empty() || line.front() == '#' || line.front() == '@') return std::nullopt;
  ssh_knownhosts_entry* entry = nullptr;
  if (ssh_known_hosts_parse_line(host.c_str(), line.c_str(), &entry) != SSH_OK) return std::nullopt;
  return KnownKey{std::unique_ptr<ssh_knownhosts_entry, EntryDeleter>(entry), revoked};
}

std::vector<KnownKey> read_known_keys(const HostSettings& settings) {
  const std::string host = known_hosts_name(settings);
  std::vector<KnownKey> keys;
  for (const auto* files : {&settings.user_known_hosts_files, &settings.global_known_hosts_files}) {
    for (const std::string& path : *files) {
      std::ifstream file(path);
      for (std::string line; std::getline(file, line);) {
        if (auto key = read_line(host, std::move(line))) keys.push_back(std::move(*key));
      }
    }
  }
  return keys;
}

/// An RSA key signs in ways that are no longer called as the key is.
std::string algorithms_of(ssh_key key) {
  const std::string kind = ssh_key_type_to_char(ssh_key_type(key));
  return kind == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : kind;
}

}  // namespace

std::string known_hosts_name(const HostSettings& settings) {
  if (!settings.host_key_alias.empty()) return settings.host_key_alias;
  return settings.port == 22 ? settings.hostname : fmt::format("[{}]:{}", settings.hostname, settings.port);
}

HostKey look_up_host_key(const HostSettings& settings, ssh_key presented) {
  bool known = false;
  bool others = false;
  for (const KnownKey& key : read_known_keys(settings)) {
    const bool same = ssh_key_cmp(key.entry->publickey, presented, SSH_KEY_CMP_PUBLIC) == 0;
    if (same && key.revoked) return HostKey::revoked;
    known = known || same;
    others = others || (!same && !key.revoked);
  }
  if (known) return HostKey::known;
  return others ? HostKey::changed : HostKey::unknown;
}

std::string host_key_preference(const HostSettings& settings) {
  if (!settings.host_key_algorithms.empty()) {
    return algorithm_list(settings.host_key_algorithms, kUsualKeyTypes);
  }
  std::string known;
  for (const KnownKey& key : read_known_keys(settings)) {
    const std::string algorithms = algorithms_of(key.entry->publickey);
    if (!key.revoked && known.find(algorithms) == std::string::npos) {
      known += (known.empty() ? "" : ",") + algorithms;
    }
  }
  return known.empty() ? "" : algorithms_first(known, kUsualKeyTypes);
}

}  // namespace jackal::remote
