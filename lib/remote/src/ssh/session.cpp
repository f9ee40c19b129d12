#include "session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "../ssh_algorithms.hpp"
#include "../ssh_by_hand.hpp"
#include "../ssh_config_destination.hpp"
#include "jackal/remote/quote.hpp"
#include "known_hosts.hpp"

namespace jackal::remote {
namespace {

std::string with_port(const HostSettings& settings) {
  const bool ipv6 = settings.hostname.find(':') != std::string::npos;
  return fmt::format("{0}{1}{2}:{3}", ipv6 ? "[" : "", settings.hostname, ipv6 ? "]" : "", settings.port);
}

/// The installed ssh as the way through the jump hosts; in batch mode, with our configuration file and time
/// limits.
Result<std::string> jump_command(const Attempt& attempt) {
  const HostSettings& settings = attempt.settings;
  const auto jumps = parse_jumps(settings.proxy_jump);
  if (!jumps) return fail(jumps.error());
  std::vector<std::string> argv{"ssh"};
  if (attempt.options.ssh_config) argv.insert(argv.end(), {"-F", attempt.options.ssh_config->string()});
  argv.insert(argv.end(), {"-o", "BatchMode=yes"});
  if (!settings.connect_timeout) {
    const auto limit = std::chrono::ceil<std::chrono::seconds>(attempt.options.connect_timeout);
    argv.insert(argv.end(), {"-o", fmt::format("ConnectTimeout={}", limit.count())});
  }
  const std::size_t last = settings.proxy_jump.rfind(',');
  if (last != std::string::npos) argv.insert(argv.end(), {"-J", settings.proxy_jump.substr(0, last)});
  // As options: ssh takes a user and port beside an IPv6 address in no other form.
  const Destination& jump = jumps->back();
  if (jump.user) argv.insert(argv.end(), {"-l", *jump.user});
  if (jump.port) argv.insert(argv.end(), {"-p", std::to_string(*jump.port)});
  argv.insert(argv.end(), {"-W", with_port(settings), "--", jump.host});
  return quote(argv);
}

/// Empty where libssh's own choice stands.
std::string key_exchanges(const HostSettings& settings) {
  if (!settings.kex_algorithms.empty()) return algorithm_list(settings.kex_algorithms, kUsualKeyExchanges);
  // From 0.12 on libssh prefers exchanges that withstand quantum computers: that comes before speed.
  if (ssh_version(SSH_VERSION_INT(0, 12, 0)) != nullptr) return "";
  // OpenSSH computes curve25519 in portable C, some 3 ms a login, and P-256 in its library's assembly.
  return algorithms_first("ecdh-sha2-nistp256", kUsualKeyExchanges);
}

/// How long the server may take for its greeting and the key exchange: ssh counts that as connecting.
std::chrono::seconds handshake_limit(const Attempt& attempt) {
  const auto limit = attempt.settings.connect_timeout.value_or(
      std::chrono::ceil<std::chrono::seconds>(attempt.options.authenticate_timeout));
  return std::max(limit, std::chrono::seconds(1));
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
  const long timeout = static_cast<long>(handshake_limit(attempt).count());
  const bool process_config = false;
  const int nodelay = 1;
  bool ok = set(SSH_OPTIONS_PROCESS_CONFIG, &process_config) && set(SSH_OPTIONS_HOST, known_as.c_str()) &&
            set(SSH_OPTIONS_PORT, &port) && set(SSH_OPTIONS_FD, &fd) && set(SSH_OPTIONS_TIMEOUT, &timeout) &&
            set(SSH_OPTIONS_NODELAY, &nodelay) && set(SSH_OPTIONS_USER, settings.user.c_str());
  const auto set_list = [&](ssh_options_e option, const std::string& value) {
    if (!value.empty()) ok = ok && set(option, value.c_str());
  };
  set_list(SSH_OPTIONS_KEY_EXCHANGE, key_exchanges(settings));
  set_list(SSH_OPTIONS_HOSTKEYS, host_key_preference(settings));
  for (const auto option : {SSH_OPTIONS_CIPHERS_C_S, SSH_OPTIONS_CIPHERS_S_C}) {
    set_list(option, algorithm_list(settings.ciphers, kUsualCiphers));
  }
  for (const auto option : {SSH_OPTIONS_HMAC_C_S, SSH_OPTIONS_HMAC_S_C}) {
    set_list(option, algorithm_list(settings.macs, kUsualMacs));
  }
  set_list(SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES,
           algorithm_list(settings.pubkey_accepted_algorithms, kUsualKeyTypes));
  set_list(SSH_OPTIONS_IDENTITY_AGENT, settings.identity_agent);
  if (!settings.user_known_hosts_files.empty()) {
    ok = ok && set(SSH_OPTIONS_KNOWNHOSTS, settings.user_known_hosts_files.front().c_str());
  }
  if (!settings.global_known_hosts_files.empty()) {
    ok = ok && set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, settings.global_known_hosts_files.front().c_str());
  }
  if (settings.required_rsa_size != 0) ok = ok && set(SSH_OPTIONS_RSA_MIN_SIZE, &settings.required_rsa_size);
  if (settings.compression) ok = ok && set(SSH_OPTIONS_COMPRESSION, "yes");
  if (ok) return {};
  return fail({ErrorCode::bad_input, attempt.options.name,
               std::string("libssh does not take the configuration: ") + ssh_get_error(session),
               "Try --ssh=system, which uses the installed ssh program."});
}

/// A descriptor of ours until libssh has taken it over.
Result<UniqueFd> reach(Attempt& attempt, Established& established) {
  const HostSettings& settings = attempt.settings;
  if (settings.proxy_jump.empty() && settings.proxy_command.empty()) {
    auto fd = connect_tcp(attempt, established.address);
    established.way = fmt::format("{} port {}", established.address, settings.port);
    return fd;
  }
  Result<std::string> command = settings.proxy_command;
  if (!settings.proxy_jump.empty()) command = jump_command(attempt);
  if (!command) return fail(command.error());
  auto proxy = ProxyCommand::start(*command);
  if (!proxy) return fail(proxy.error());
  established.proxy = std::move(*proxy);
  established.way = settings.proxy_jump.empty() ? "its ProxyCommand" : "its jump host " + settings.proxy_jump;
  return UniqueFd(established.proxy->take_socket());
}

/// Why there is no SSH connection over the way that we have. `lost`: another try may have more luck.
Error handshake_error(Attempt& attempt, Established& established, bool in_time) {
  ssh_session session = established.session.get();
  const std::string& way = established.way;
  const auto error = [&](ErrorCode code, const std::string& what, const std::string& hint = "") {
    return Error{code, attempt.options.name, what, hint + check_by_hand(attempt.options)};
  };
  if (established.proxy) {
    // Its own words are the reason, and only those of a jump host that is too busy call for another try.
    const std::string complaints = established.proxy->complaints();
    const bool busy = complaints.find("kex_exchange_identification") != std::string::npos;
    if (!complaints.empty()) {
      return error(busy ? ErrorCode::lost : ErrorCode::unreachable,
                   fmt::format("cannot connect through {}: {}", way, complaints));
    }
  }
  const bool silent = ssh_get_serverbanner(session) == nullptr;
  if (!in_time) {
    const std::string what =
        silent ? "accepts the connection but gives no SSH greeting" : "did not finish the SSH key exchange";
    return error(ErrorCode::timed_out,
                 fmt::format("{} {} within {} s", way, what, handshake_limit(attempt).count()));
  }
  if (!silent) {
    return error(ErrorCode::unreachable,
                 fmt::format("the SSH key exchange with {} failed: {}", way, ssh_get_error(session)));
  }
  // Once, and not at first: the connection is one more for an sshd that may have too many.
  constexpr int kAskAtAttempt = 3;
  const std::string words =
      attempt.number == kAskAtAttempt && !established.proxy ? words_of_a_stranger(attempt) : "";
  if (!words.empty()) {
    return error(ErrorCode::unreachable, fmt::format("{} is no SSH server: it answers \"{}\"", way, words),
                 "Set the Port of its sshd in ~/.ssh/config. ");
  }
  return error(ErrorCode::lost, way + " closes every connection without an SSH greeting",
               "If its sshd has too many logins at a time, raise MaxStartups in its sshd_config. ");
}

}  // namespace

Error session_error(ErrorCode code, ssh_session session, const Attempt& attempt, const std::string& action) {
  return {code, attempt.options.name, fmt::format("{}: {}", action, ssh_get_error(session)),
          check_by_hand(attempt.options)};
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
  const auto begun = std::chrono::steady_clock::now();
  if (ssh_connect(session) != SSH_OK) {
    const bool in_time = std::chrono::steady_clock::now() - begun < handshake_limit(attempt);
    return fail(handshake_error(attempt, established, in_time));
  }
  if (auto done = check_host_key(session, attempt, established.notices); !done) return fail(done.error());
  const long limit = static_cast<long>(
      std::chrono::ceil<std::chrono::seconds>(attempt.options.authenticate_timeout).count());
  ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &limit);
  if (auto done = authenticate(session, attempt); !done) return fail(done.error());
  return established;
}

}  // namespace jackal::remote
