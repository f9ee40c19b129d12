#include "session.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include "jackal/remote/quote.hpp"

namespace jackal::remote {
namespace {

std::string with_port(const HostSettings& settings) {
  const bool ipv6 = settings.hostname.find(':') != std::string::npos;
  return fmt::format("{0}{1}{2}:{3}", ipv6 ? "[" : "", settings.hostname, ipv6 ? "]" : "", settings.port);
}

/// The installed ssh as the way through the jump hosts; in batch mode, with our configuration file and time
/// limits.
std::string jump_command(const Attempt& attempt) {
  const HostSettings& settings = attempt.settings;
  const std::size_t last = settings.proxy_jump.rfind(',');
  std::vector<std::string> argv{"ssh"};
  if (attempt.options.ssh_config) argv.insert(argv.end(), {"-F", attempt.options.ssh_config->string()});
  argv.insert(argv.end(), {"-o", "BatchMode=yes"});
  if (!settings.connect_timeout) {
    const auto limit = std::chrono::ceil<std::chrono::seconds>(attempt.options.connect_timeout);
    argv.insert(argv.end(), {"-o", fmt::format("ConnectTimeout={}", limit.count())});
  }
  if (last != std::string::npos) argv.insert(argv.end(), {"-J", settings.proxy_jump.substr(0, last)});
  std::string jump = last == std::string::npos ? settings.proxy_jump : settings.proxy_jump.substr(last + 1);
  // A port in the jump's own words is understood by ssh only in a URI.
  if (!jump.starts_with("ssh://") && jump.find(':') != std::string::npos) jump = "ssh://" + jump;
  argv.insert(argv.end(), {"-W", with_port(settings), "--", jump});
  return quote(argv);
}

Result<void> configure(ssh_session session, const Attempt& attempt, int fd) {
  const HostSettings& settings = attempt.settings;
  const auto set = [&](ssh_options_e option, const void* value) {
    return ssh_options_set(session, option, value) == 0;
  };
  // The connection is already made: host and port now only name the entry in known_hosts.
  const bool alias = !settings.host_key_alias.empty();
  const std::string& known_as = alias ? settings.host_key_alias : settings.hostname;
  const unsigned int port = alias ? 22 : settings.port;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(attempt.options.authenticate_timeout);
  const long timeout = static_cast<long>(seconds.count());
  const bool process_config = false;
  const int nodelay = 1;
  bool ok = set(SSH_OPTIONS_PROCESS_CONFIG, &process_config) && set(SSH_OPTIONS_HOST, known_as.c_str()) &&
            set(SSH_OPTIONS_PORT, &port) && set(SSH_OPTIONS_FD, &fd) && set(SSH_OPTIONS_TIMEOUT, &timeout) &&
            set(SSH_OPTIONS_NODELAY, &nodelay) && set(SSH_OPTIONS_USER, settings.user.c_str());
  const auto set_list = [&](ssh_options_e option, const std::string& value) {
    if (!value.empty()) ok = ok && set(option, value.c_str());
  };
  set_list(SSH_OPTIONS_KEY_EXCHANGE, settings.kex_algorithms);
  set_list(SSH_OPTIONS_HOSTKEYS, settings.host_key_algorithms);
  set_list(SSH_OPTIONS_CIPHERS_C_S, settings.ciphers);
  set_list(SSH_OPTIONS_CIPHERS_S_C, settings.ciphers);
  set_list(SSH_OPTIONS_HMAC_C_S, settings.macs);
  set_list(SSH_OPTIONS_HMAC_S_C, settings.macs);
  set_list(SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, settings.pubkey_accepted_algorithms);
  set_list(SSH_OPTIONS_IDENTITY_AGENT, settings.identity_agent);
  if (!settings.user_known_hosts_files.empty()) {
    ok = ok && set(SSH_OPTIONS_KNOWNHOSTS, settings.user_known_hosts_files.front().c_str());
  }
  if (!settings.global_known_hosts_files.empty()) {
    ok = ok && set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, settings.global_known_hosts_files.front().c_str());
  }
  if (settings.compression) ok = ok && set(SSH_OPTIONS_COMPRESSION, "yes");
  if (ok) return {};
  return fail({ErrorCode::bad_input, attempt.options.name,
               std::string("libssh does not take the configuration: ") + ssh_get_error(session),
               "Try --ssh=system, which uses the installed ssh program."});
}

/// A descriptor of ours until libssh has taken it over.
Result<UniqueFd> reach(Attempt& attempt, Established& established) {
  const HostSettings& settings = attempt.settings;
  if (settings.proxy_jump.empty() && settings.proxy_command.empty())
    return connect_tcp(attempt, established.address);
  auto proxy =
      ProxyCommand::start(settings.proxy_jump.empty() ? settings.proxy_command : jump_command(attempt));
  if (!proxy) return fail(proxy.error());
  established.proxy = std::move(*proxy);
  return UniqueFd(established.proxy->take_socket());
}

}  // namespace

bool Cancel::use(int fd) {
  const std::lock_guard lock(mutex_);
  fd_ = fd;
  return !cancelled_;
}

void Cancel::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

Error session_error(ErrorCode code, ssh_session session, const Attempt& attempt, const std::string& action) {
  return {code, attempt.options.name, fmt::format("{}: {}", action, ssh_get_error(session)),
          "Check with: ssh " + quote(attempt.options.name) + " true"};
}

Result<Established> establish(Attempt& attempt) {
  Established established;
  auto fd = reach(attempt, established);
  if (!fd) return fail(fd.error());
  established.session.reset(ssh_new());
  ssh_session session = established.session.get();
  if (auto done = configure(session, attempt, fd->get()); !done) return fail(done.error());
  if (!attempt.cancel.use(fd->release()))
    return fail({ErrorCode::timed_out, attempt.options.name, "gave up", ""});
  struct Release {
    Cancel& cancel;
    ~Release() { cancel.use(-1); }
  } const release{attempt.cancel};
  if (ssh_connect(session) != SSH_OK) {
    const bool silent = ssh_get_serverbanner(session) == nullptr;
    // Behind a proxy its own words are the reason, and trying again would not change them.
    const std::string complaints = established.proxy ? established.proxy->complaints() : "";
    if (!complaints.empty()) {
      return fail({ErrorCode::unreachable, attempt.options.name,
                   "cannot connect through its jump host or proxy: " + complaints,
                   "Check with: ssh " + quote(attempt.options.name) + " true"});
    }
    return fail(session_error(silent ? ErrorCode::lost : ErrorCode::unreachable, session, attempt,
                              "SSH key exchange failed"));
  }
  if (auto done = check_host_key(session, attempt, established.notices); !done) return fail(done.error());
  if (auto done = authenticate(session, attempt); !done) return fail(done.error());
  return established;
}

}  // namespace jackal::remote
