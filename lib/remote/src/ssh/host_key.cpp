// Is this the host that we know? Unknown keys are refused with the remedy, or recorded and announced where
// the configuration says so; a changed key is always refused.
#include <fmt/format.h>
#include <libssh/libssh.h>

#include <mutex>

#include "../ssh_by_hand.hpp"
#include "jackal/remote/quote.hpp"
#include "known_hosts.hpp"
#include "session.hpp"

namespace jackal::remote {
namespace {

struct KeyDeleter {
  void operator()(ssh_key key) const { ssh_key_free(key); }
};
using Key = std::unique_ptr<std::remove_pointer_t<ssh_key>, KeyDeleter>;

/// The server's key, and how a person tells it.
struct PresentedKey {
  Key key;
  std::string kind = "unknown";  // ssh-ed25519
  std::string fingerprint;       // SHA256:…
};

PresentedKey presented_key(ssh_session session) {
  PresentedKey presented;
  ssh_key key = nullptr;
  if (ssh_get_server_publickey(session, &key) != SSH_OK) return presented;
  presented.key.reset(key);
  presented.kind = ssh_key_type_to_char(ssh_key_type(key));
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) == 0) {
    char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
    presented.fingerprint = text;
    ssh_string_free_char(text);
    ssh_clean_pubkey_hash(&hash);
  }
  return presented;
}

/// As ssh-keyscan, ssh-keygen and the files in /etc/ssh call it: ed25519, ecdsa, rsa.
std::string short_kind(const std::string& kind) {
  if (kind.starts_with("ecdsa")) return "ecdsa";
  return kind.substr(kind.find('-') + 1);
}

std::string known_hosts_file(const HostSettings& settings) {
  return settings.user_known_hosts_files.empty() ? "/dev/null" : settings.user_known_hosts_files.front();
}

/// The command that records the key of a host to which we connect ourselves.
std::string scan_command(const HostSettings& settings, const std::string& kind) {
  std::string command =
      fmt::format("ssh-keyscan -t {} -p {} {}", kind, settings.port, quote(settings.hostname));
  if (!settings.host_key_alias.empty()) {
    command += " | sed " + quote("s/^[^# ][^ ]*/" + settings.host_key_alias + "/");
  }
  return command + " >> " + quote(known_hosts_file(settings));
}

Error unknown_key(const Attempt& attempt, const PresentedKey& key) {
  const HostSettings& settings = attempt.settings;
  const bool direct = settings.proxy_jump.empty() && settings.proxy_command.empty();
  const std::string kind = short_kind(key.kind);
  return {ErrorCode::unauthenticated, attempt.options.name,
          fmt::format("its host key is not known here ({} {})", key.kind, key.fingerprint),
          fmt::format("If that fingerprint is the machine's own (ssh-keygen -lf /etc/ssh/ssh_host_{}_key.pub "
                      "there), record it with: {}\n"
                      "  or let new keys be recorded: StrictHostKeyChecking accept-new in ~/.ssh/config.",
                      kind, direct ? scan_command(settings, kind) : ssh_by_hand(attempt.options))};
}

Error changed_key(const Attempt& attempt, const PresentedKey& key) {
  return {ErrorCode::unauthenticated, attempt.options.name,
          fmt::format("its host key has CHANGED (now {} {}): another machine may be answering in its place",
                      key.kind, key.fingerprint),
          fmt::format("Only if you know why (a new installation): ssh-keygen -R {} -f {}",
                      quote(known_hosts_name(attempt.settings)), quote(known_hosts_file(attempt.settings)))};
}

Error revoked_key(const Attempt& attempt, const PresentedKey& key) {
  return {ErrorCode::unauthenticated, attempt.options.name,
          fmt::format("its host key is marked as revoked ({} {}): whoever answers is not to be trusted",
                      key.kind, key.fingerprint),
          "Give the machine a new host key; the line that says @revoked is in a known_hosts file here."};
}

}  // namespace

Result<void> check_host_key(ssh_session session, const Attempt& attempt, std::vector<std::string>& notices) {
  const HostSettings& settings = attempt.settings;
  const PresentedKey key = presented_key(session);
  if (!key.key) {
    return fail(session_error(ErrorCode::unauthenticated, session, attempt, "cannot check its host key"));
  }
  switch (look_up_host_key(settings, key.key.get())) {
    case HostKey::known:
      return {};
    case HostKey::changed:
      return fail(changed_key(attempt, key));
    case HostKey::revoked:
      return fail(revoked_key(attempt, key));
    case HostKey::unknown:
      break;
  }
  const bool record = settings.strict_host_key_checking == StrictHostKeyChecking::accept_new ||
                      settings.strict_host_key_checking == StrictHostKeyChecking::no;
  if (!record) return fail(unknown_key(attempt, key));
  if (settings.user_known_hosts_files.empty()) {
    notices.push_back(fmt::format("{}: took its new host key {} {}, which is recorded nowhere",
                                  attempt.options.name, key.kind, key.fingerprint));
    return {};
  }
  // Several connections to one new host must not each append it.
  static std::mutex recording;
  const std::lock_guard lock(recording);
  if (look_up_host_key(settings, key.key.get()) == HostKey::known) return {};
  if (ssh_session_update_known_hosts(session) != SSH_OK) {
    return fail(session_error(ErrorCode::unauthenticated, session, attempt,
                              "cannot record its host key in " + known_hosts_file(settings)));
  }
  notices.push_back(fmt::format("{}: recorded its new host key {} {} in {}", attempt.options.name, key.kind,
                                key.fingerprint, known_hosts_file(settings)));
  return {};
}

}  // namespace jackal::remote
