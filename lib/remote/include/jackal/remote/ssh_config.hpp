// What OpenSSH's client configuration says about a host: ~/.ssh/config and /etc/ssh/ssh_config, or another
// file as `ssh -F` takes it, read with OpenSSH's own rules. The resolver is pure: everything it asks of the
// machine goes through Surroundings. An SshConfig is read once and then asked from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"

namespace jackal::remote {

enum class StrictHostKeyChecking { yes, accept_new, no, ask };
enum class AddressFamily { any, inet, inet6 };

/// One host's settings, all tokens, `~` and ${VARIABLES} expanded. An empty text or list means "none".
struct HostSettings {
  std::string alias;     // the host as it was typed, without user and port
  std::string hostname;  // where to connect: a name in lower case, or an address
  std::string user;
  std::uint16_t port = 22;
  AddressFamily address_family = AddressFamily::any;
  std::string bind_address;
  std::optional<std::chrono::seconds> connect_timeout;
  std::string proxy_jump;     // hosts separated by commas, nearest first; route() resolves them
  std::string proxy_command;  // for the user's shell; never set beside proxy_jump

  std::vector<std::string> identity_files;
  bool identity_files_configured = false;      // false: they are OpenSSH's usual names, few of which exist
  std::vector<std::string> certificate_files;  // beside the usual IDENTITY-cert.pub
  bool identities_only = false;                // of the agent's keys, use those of identity_files alone
  std::string identity_agent;                  // the agent's socket

  StrictHostKeyChecking strict_host_key_checking = StrictHostKeyChecking::ask;
  std::string host_key_alias;
  std::vector<std::string> user_known_hosts_files;
  std::vector<std::string> global_known_hosts_files;

  // OpenSSH's lists, with its leading + - ^ where it stands; empty: the library's own default.
  std::string kex_algorithms;
  std::string host_key_algorithms;
  std::string ciphers;
  std::string macs;
  std::string pubkey_accepted_algorithms;
  int required_rsa_size = 0;  // bits; 0: the library's own limit
  bool compression = false;

  /// What `ssh` would have done for this host and we do not: "ForwardAgent (~/.ssh/config:12)".
  std::vector<std::string> not_honoured;
  /// Like it, for settings that matter only when the host refuses us: "UseKeychain (~/.ssh/config:3)".
  std::vector<std::string> may_explain_refusal;
};

/// What the resolver asks of the machine it runs on.
struct Surroundings {
  std::string user;
  std::string home;
  std::string uid;
  std::string host_name;  // as gethostname() gives it

  enum class Check { none, only_owner_writes };

  std::function<std::optional<std::string>(const std::string& name)> variable;  // of the environment
  std::function<std::optional<std::string>(const std::string& user)> home_of;   // for ~user
  std::function<Result<std::string>(const std::string& path, Check)> read;      // not_found: there is none
  std::function<std::vector<std::string>(const std::string& pattern)> glob;     // in lexical order
  std::function<Result<bool>(const std::string& command)> run;                  // Match exec: ended with 0?
};

/// The real ones. `run` uses the user's shell, with nothing on stdin, and gives up after 10 s.
Surroundings this_machine();

class SshConfig {
public:
  /// Reads ~/.ssh/config and /etc/ssh/ssh_config, where they exist; with `file`, only that one, as `ssh -F`
  /// ("none": no file at all).
  static Result<SshConfig> load(Surroundings surroundings, const std::optional<std::string>& file = {});

  /// The settings for what a person typed: `alias`, `user@host`, `ssh://user@host:port`, an address.
  Result<HostSettings> resolve(std::string_view destination) const;

  /// The connections to make one through the other: the jump hosts, nearest first, then the destination. The
  /// first may have a proxy_command; proxy_jump of all is spent.
  Result<std::vector<HostSettings>> route(std::string_view destination) const;

  SshConfig(SshConfig&&) noexcept;
  SshConfig& operator=(SshConfig&&) noexcept;
  ~SshConfig();

private:
  struct Files;
  explicit SshConfig(std::unique_ptr<const Files> files);

  std::unique_ptr<const Files> files_;
};

}  // namespace jackal::remote
