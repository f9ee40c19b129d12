// Is this the host that we know? Unknown keys are refused with the remedy, or recorded and announced where
// the configuration says so; a changed key is always refused.
#include <fmt/format.h>
#include <libssh/libssh.h>

#include <mutex>

#include "jackal/remote/quote.hpp"
#include "session.hpp"

namespace jackal::remote {
namespace {

struct PresentedKey {
  std::string kind = "unknown";  // ssh-ed25519
  std::string fingerprint;       // SHA256:…
};

PresentedKey presented_key(ssh_session session) {
  PresentedKey presented;
  ssh_key key = nullptr;
  if (ssh_get_server_publickey(session, &key) != SSH_OK) return presented;
  presented.kind = ssh_key_type_to_char(ssh_key_type(key));
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) == 0) {
    char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
    presented.fingerprint = text;
    ssh_string_free_char(text);
    ssh_clean_pubkey_hash(&hash);
  }
  ssh_key_free(key);
  return presented;
}

std::string known_as(const HostSettings& settings) {
  if (!settings.host_key_alias.empty()) return settings.host_key_alias;
  return settings.port == 22 ? settings.hostname : fmt::format("[{}]:{}", settings.hostname, settings.port);
}

std::string known_hosts_file(const HostSettings& settings) {
  return settings.user_known_hosts_files.empty() ? "/dev/null" : settings.user_known_hosts_files.front();
}

/// libssh reads one user's file; OpenSSH may be told several.
ssh_known_hosts_e look_up(ssh_session session, const HostSettings& settings) {
  ssh_known_hosts_e found = ssh_session_is_known_server(session);
  const auto& files = settings.user_known_hosts_files;
  for (std::size_t i = 1; i < files.size() && found != SSH_KNOWN_HOSTS_OK; ++i) {
    ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, files[i].c_str());
    const ssh_known_hosts_e here = ssh_session_is_known_server(session);
    if (here == SSH_KNOWN_HOSTS_OK || here == SSH_KNOWN_HOSTS_CHANGED) found = here;
  }
  if (files.size() > 1) ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, files.front().c_str());
  return found;
}

Error unknown_key(const Attempt& attempt, const PresentedKey& key) {
  const HostSettings& settings = attempt.settings;
  const std::string scan =
      settings.proxy_jump.empty() && settings.proxy_command.empty()
          ? fmt::format("ssh-keyscan -t {} -p {} {} >> {}", key.kind.substr(key.kind.find('-') + 1),
                        settings.port, quote(settings.hostname), quote(known_hosts_file(settings)))
          : "ssh " + quote(attempt.options.name);
  return {ErrorCode::unauthenticated, attempt.options.name,
          fmt::format("its host key is not known here ({} {})", key.kind, key.fingerprint),
          "If that fingerprint is the machine's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub "
          "there), record it with: " +
              scan + "\n  or let new keys be recorded: StrictHostKeyChecking accept-new in ~/.ssh/config."};
}

Error changed_key(const Attempt& attempt, const PresentedKey& key) {
  return {ErrorCode::unauthenticated, attempt.options.name,
          fmt::format("its host key has CHANGED (now {} {}): another machine may be answering in its place",
                      key.kind, key.fingerprint),
          fmt::format("Only if you know why (a new installation): ssh-keygen -R {} -f {}",
                      quote(known_as(attempt.settings)), quote(known_hosts_file(attempt.settings)))};
}

}  // namespace

Result<void> check_host_key(ssh_session session, const Attempt& attempt, std::vector<std::string>& notices) {
  const HostSettings& settings = attempt.settings;
  switch (look_up(session, settings)) {
    case SSH_KNOWN_HOSTS_OK:
      return {};
    case SSH_KNOWN_HOSTS_CHANGED:
    case SSH_KNOWN_HOSTS_OTHER:
      return fail(changed_key(attempt, presented_key(session)));
    case SSH_KNOWN_HOSTS_ERROR:
      return fail(session_error(ErrorCode::unauthenticated, session, attempt, "cannot check its host key"));
    case SSH_KNOWN_HOSTS_UNKNOWN:
    case SSH_KNOWN_HOSTS_NOT_FOUND:
      break;
  }
  const PresentedKey key = presented_key(session);
  const bool record = settings.strict_host_key_checking == StrictHostKeyChecking::accept_new ||
                      settings.strict_host_key_checking == StrictHostKeyChecking::no;
  if (!record) return fail(unknown_key(attempt, key));
  // Several connections to one new host must not each append it.
  static std::mutex recording;
  const std::lock_guard lock(recording);
  if (look_up(session, settings) == SSH_KNOWN_HOSTS_OK) return {};
  if (ssh_session_update_known_hosts(session) != SSH_OK) {
    return fail(session_error(ErrorCode::io, session, attempt,
                              "cannot record its host key in " + known_hosts_file(settings)));
  }
  notices.push_back(fmt::format("{}: recorded its new host key {} {} in {}", attempt.options.name, key.kind,
                                key.fingerprint, known_hosts_file(settings)));
  return {};
}

}  // namespace jackal::remote
