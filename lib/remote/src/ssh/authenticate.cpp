// Proves who we are, by keys alone and without a question: the agent's and those of the configuration's
// files.
#include <fmt/format.h>
#include <libssh/libssh.h>

#include <cstdlib>
#include <filesystem>

#include "certificate.hpp"
#include "jackal/remote/quote.hpp"
#include "session.hpp"

namespace jackal::remote {
namespace {

struct KeyDeleter {
  void operator()(ssh_key key) const { ssh_key_free(key); }
};
using Key = std::unique_ptr<std::remove_pointer_t<ssh_key>, KeyDeleter>;

/// What became of each key, for the message when none was good.
struct Trail {
  std::string text;
  bool needs_agent = false;  // a named key cannot be used from its file
  void add(const std::string& what) { text += (text.empty() ? "" : "; ") + what; }
};

/// Refuses instead of asking for a passphrase on the terminal.
int no_passphrase(const char*, char*, std::size_t, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Key load(const std::string& file, bool& encrypted) {
  ssh_key key = nullptr;
  if (ssh_pki_import_privkey_file(file.c_str(), nullptr, no_passphrase, &encrypted, &key) != SSH_OK)
    return {};
  return Key(key);
}

/// The certificates that were made for this key.
std::vector<Key> certificates_for(ssh_key key, const std::string& file, const HostSettings& settings) {
  std::vector<std::string> paths = settings.certificate_files;
  paths.push_back(file + "-cert.pub");
  std::vector<Key> certificates;
  for (const auto& path : paths) {
    ssh_key raw = nullptr;
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) continue;
    if (ssh_pki_import_cert_file(path.c_str(), &raw) != SSH_OK) continue;
    Key certificate(raw);
    if (is_certificate_for(certificate.get(), key)) certificates.push_back(std::move(certificate));
  }
  return certificates;
}

bool try_file(ssh_session session, const std::string& file, const HostSettings& settings, Trail& trail) {
  bool encrypted = false;
  const Key key = load(file, encrypted);
  if (!key) {
    trail.needs_agent = true;
    trail.add(file + (encrypted ? " has a passphrase (add it to the agent: ssh-add " + quote(file) + ")"
                                : " cannot be read"));
    return false;
  }
  for (const Key& certificate : certificates_for(key.get(), file, settings)) {
    const Key certified = load(file, encrypted);  // a key once certified stays so
    if (!certified || ssh_pki_copy_cert_to_privkey(certificate.get(), certified.get()) != SSH_OK) continue;
    if (ssh_userauth_publickey(session, nullptr, certified.get()) == SSH_AUTH_SUCCESS) return true;
    trail.add("the certificate of " + file + " was refused");
  }
  // Signed at once: asking first whether the key would do costs a round trip and the server a look-up.
  if (ssh_userauth_publickey(session, nullptr, key.get()) == SSH_AUTH_SUCCESS) return true;
  trail.add(file + " was refused");
  return false;
}

bool try_agent(ssh_session session, Trail& trail) {
  const bool good = ssh_userauth_agent(session, nullptr) == SSH_AUTH_SUCCESS;
  if (!good) trail.add("no key of the agent was accepted");
  return good;
}

bool try_files(ssh_session session, const HostSettings& settings, Trail& trail) {
  for (const auto& file : settings.identity_files) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) {
      trail.needs_agent = trail.needs_agent || std::filesystem::exists(file + ".pub", ignored);
      if (settings.identity_files_configured) trail.add(file + " does not exist");
      continue;
    }
    if (try_file(session, file, settings, trail)) return true;
  }
  return false;
}

}  // namespace

Result<void> authenticate(ssh_session session, const Attempt& attempt) {
  const HostSettings& settings = attempt.settings;
  Trail trail;
  const bool agent = !settings.identity_agent.empty();
  bool good = false;
  if (settings.identity_files_configured || settings.identities_only) {
    // Keys that the configuration names come first, as a server counts every refused one (MaxAuthTries).
    // libssh cannot ask the agent for one key alone: under IdentitiesOnly it is asked only where a named key
    // needs it.
    good = try_files(session, settings, trail);
    if (!good && agent && (!settings.identities_only || trail.needs_agent)) good = try_agent(session, trail);
  } else {
    good = (agent && try_agent(session, trail)) || try_files(session, settings, trail);
  }
  if (good) return {};
  if (ssh_is_connected(session) == 0) {
    return fail(
        session_error(ErrorCode::unauthenticated, session, attempt, "the host broke off the authentication"));
  }
  if (trail.text.empty()) trail.add("no key was found here");
  std::string hint = fmt::format("Let this user log in there without a password: ssh-copy-id {}",
                                 quote(attempt.options.name));
  for (const auto& keyword : settings.may_explain_refusal) {
    hint +=
        fmt::format("\n  {} is not honoured here and may be the reason; --ssh=system honours it.", keyword);
  }
  return fail({ErrorCode::unauthenticated, attempt.options.name,
               fmt::format("refuses the login of {}: {}", settings.user, trail.text), hint});
}

}  // namespace jackal::remote
