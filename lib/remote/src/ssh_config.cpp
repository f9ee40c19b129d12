#include "jackal/remote/ssh_config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "jackal/base/text.hpp"
#include "ssh_config_chosen.hpp"
#include "ssh_config_lost.hpp"
#include "ssh_config_values.hpp"

namespace jackal::remote {
namespace {

constexpr std::size_t kMaxJumps = 16;  // `ProxyJump x%h` would go on for ever

constexpr std::string_view kUsualIdentities[] = {"id_rsa",     "id_ecdsa",      "id_ecdsa_sk",
                                                 "id_ed25519", "id_ed25519_sk", "id_dsa"};

/// Turns the chosen lines into values.
class Builder {
public:
  Builder(const Choice& choice, const Destination& destination, const Surroundings& surroundings)
      : choice_(choice), chosen_(choice.settings), destination_(destination), surroundings_(surroundings) {}

  Result<HostSettings> build() const {
    HostSettings host;
    set_plain_values(host);
    auto done = set_identities(host);
    if (done) done = set_agent(host);
    if (done) done = set_known_hosts(host);
    if (done) done = set_proxy(host);
    if (!done) return fail(done.error());
    host.not_honoured = settings_that_matter(chosen_, Effect::lost);
    host.may_explain_refusal = settings_that_matter(chosen_, Effect::explains_refusal);
    return host;
  }

private:
  void set_plain_values(HostSettings& host) const {
    const auto text = [this](std::string_view name) { return std::string(chosen_.value(name)); };
    host.alias = destination_.host;
    host.hostname = choice_.host;
    host.user = chosen_.find("User") == nullptr ? surroundings_.user : text("User");
    host.port = parse_port(chosen_.value("Port")).value_or(host.port);
    host.address_family = parse_family(chosen_.value("AddressFamily")).value_or(host.address_family);
    host.bind_address = text("BindAddress");
    host.connect_timeout = parse_time(chosen_.value("ConnectTimeout"));
    host.identities_only = chosen_.says_yes("IdentitiesOnly");
    host.strict_host_key_checking =
        parse_strict(chosen_.value("StrictHostKeyChecking")).value_or(host.strict_host_key_checking);
    host.host_key_alias = lower_case(chosen_.value("HostKeyAlias"));
    host.kex_algorithms = text("KexAlgorithms");
    host.host_key_algorithms = text("HostKeyAlgorithms");
    host.ciphers = text("Ciphers");
    host.macs = text("MACs");
    host.pubkey_accepted_algorithms = text("PubkeyAcceptedAlgorithms");
    host.required_rsa_size = parse_integer<int>(chosen_.value("RequiredRSASize")).value_or(0);
    host.compression = chosen_.says_yes("Compression");
  }

  Result<void> set_identities(HostSettings& host) const {
    auto certificates = file_paths("CertificateFile");
    if (!certificates) return fail(certificates.error());
    host.certificate_files = std::move(*certificates);
    auto identities = file_paths("IdentityFile");
    if (!identities) return fail(identities.error());
    host.identity_files = std::move(*identities);
    host.identity_files_configured = chosen_.find("IdentityFile") != nullptr;
    if (host.identity_files_configured) return {};
    for (const std::string_view name : kUsualIdentities) {
      host.identity_files.push_back(fmt::format("{}/.ssh/{}", surroundings_.home, name));
    }
    return {};
  }

  Result<void> set_agent(HostSettings& host) const {
    const Setting* setting = chosen_.find("IdentityAgent");
    std::string value = setting == nullptr ? "SSH_AUTH_SOCK" : setting->words.front();
    if (value == "none") return {};
    if (value == "SSH_AUTH_SOCK") value = "$SSH_AUTH_SOCK";
    if (value.front() == '$' && value.substr(0, 2) != "${") {
      host.identity_agent = surroundings_.variable(value.substr(1)).value_or("");
      return {};
    }
    auto path = file_path(value, setting->place);
    if (!path) return fail(path.error());
    host.identity_agent = std::move(*path);
    return {};
  }

  Result<void> set_known_hosts(HostSettings& host) const {
    host.global_known_hosts_files = {"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"};
    if (const Setting* setting = chosen_.find("GlobalKnownHostsFile")) {
      host.global_known_hosts_files = is_none(*setting) ? std::vector<std::string>{} : setting->words;
    }
    const Setting* setting = chosen_.find("UserKnownHostsFile");
    if (setting == nullptr) {
      const std::string file = surroundings_.home + "/.ssh/known_hosts";
      host.user_known_hosts_files = {file, file + "2"};
      return {};
    }
    if (is_none(*setting)) return {};
    for (const std::string& word : setting->words) {
      auto path = file_path(word, setting->place);
      if (!path) return fail(path.error());
      host.user_known_hosts_files.push_back(std::move(*path));
    }
    return {};
  }

  Result<void> set_proxy(HostSettings& host) const {
    if (const Setting* jump = proxy("ProxyJump")) {
      const auto list = expand(jump->rest, kOfProxy, jump->place, choice_, destination_, surroundings_);
      if (!list) return fail(list.error());
      const auto jumps = parse_jumps(*list);
      if (!jumps) return fail(config_error(jump->place, jumps.error().where + ": " + jumps.error().what));
      for (const Destination& hop : *jumps) {
        host.proxy_jump += (host.proxy_jump.empty() ? "" : ",") + jump_text(hop);
      }
    }
    if (const Setting* command = proxy("ProxyCommand")) {
      auto text = expand(command->rest, kOfProxy, command->place, choice_, destination_, surroundings_);
      if (!text) return fail(text.error());
      host.proxy_command = std::move(*text);
    }
    return {};
  }

  const Setting* proxy(std::string_view name) const {
    const Setting* setting = chosen_.find(name);
    return setting == nullptr || equals_ignoring_case(setting->rest, "none") ? nullptr : setting;
  }

  static bool is_none(const Setting& setting) { return equals_ignoring_case(setting.words.front(), "none"); }

  /// Of every such line but those that say "none".
  Result<std::vector<std::string>> file_paths(std::string_view keyword) const {
    std::vector<std::string> paths;
    for (const Setting* setting : chosen_.find_all(keyword)) {
      if (equals_ignoring_case(setting->words.front(), "none")) continue;
      auto path = file_path(setting->words.front(), setting->place);
      if (!path) return fail(path.error());
      paths.push_back(std::move(*path));
    }
    return paths;
  }

  Result<std::string> file_path(const std::string& word, const std::string& place) const {
    const auto path = expand_tilde(word, surroundings_);
    if (!path) return fail(config_error(place, path.error().what));
    return expand(*path, kOfFile, place, choice_, destination_, surroundings_);
  }

  const Choice& choice_;
  const Chosen& chosen_;
  const Destination& destination_;
  const Surroundings& surroundings_;
};

Result<HostSettings> settings_for(const std::vector<ConfigFile>& files, const Destination& destination,
                                  const Surroundings& surroundings) {
  const auto choice = choose(files, destination, surroundings);
  if (!choice) return fail(choice.error());
  if (const Setting* refusal = choice->settings.find("RefuseConnection")) {
    return fail({ErrorCode::unreachable, refusal->place,
                 fmt::format("the configuration refuses connections to {}: {}", destination.host,
                             refusal->words.front()),
                 ""});
  }
  return Builder(*choice, destination, surroundings).build();
}

/// Follows ProxyJump through the configuration of each jump host.
class Route {
public:
  Route(const std::vector<ConfigFile>& files, const Surroundings& surroundings)
      : files_(files), surroundings_(surroundings) {}

  Result<void> add(const Destination& destination) {
    auto host = settings_for(files_, destination, surroundings_);
    if (!host) return fail(host.error());
    const std::string name = fmt::format("{}@{}:{}", host->user, host->hostname, host->port);
    pending_.push_back(name);
    if (std::count(pending_.begin(), pending_.end(), name) > 1) {
      return fail({ErrorCode::bad_input, destination.host,
                   fmt::format("ProxyJump goes in a circle: {}", fmt::join(pending_, " needs ")),
                   "let the jump host's own Host block say `ProxyJump none`, above the others"});
    }
    if (pending_.size() > kMaxJumps) {
      return fail({ErrorCode::bad_input, destination.host,
                   fmt::format("ProxyJump needs more than {} jump hosts, each behind another", kMaxJumps),
                   ""});
    }
    if (!host->proxy_jump.empty()) {
      const auto done = add_jumps(host->proxy_jump);
      if (!done) return done;
    }
    host->proxy_jump.clear();
    pending_.pop_back();
    hosts_.push_back(std::move(*host));
    return {};
  }
  std::vector<HostSettings> take() { return std::move(hosts_); }

private:
  /// Only the first of them may need hosts before it: the others are reached through their predecessors.
  Result<void> add_jumps(const std::string& list) {
    auto jumps = parse_jumps(list);
    if (!jumps) return fail(jumps.error());
    std::string before;
    for (std::size_t i = 0; i < jumps->size(); ++i) {
      Destination& jump = (*jumps)[i];
      if (i == 0) {
        const auto done = add(jump);
        if (!done) return done;
      } else {
        jump.jumps = before;
        auto host = settings_for(files_, jump, surroundings_);
        if (!host) return fail(host.error());
        host->proxy_jump.clear();
        hosts_.push_back(std::move(*host));
      }
      before += (i == 0 ? "" : ",") + jump_text(jump);
    }
    return {};
  }

  const std::vector<ConfigFile>& files_;
  const Surroundings& surroundings_;
  std::vector<std::string> pending_;  // hosts whose jump hosts are being looked up
  std::vector<HostSettings> hosts_;
};

}  // namespace

struct SshConfig::Files {
  std::vector<ConfigFile> files;
  Surroundings surroundings;
};

Result<SshConfig> SshConfig::load(Surroundings surroundings, const std::optional<std::string>& file) {
  std::vector<ConfigSource> sources;
  if (!file) {
    sources = {{surroundings.home + "/.ssh/config", true, Surroundings::Check::only_owner_writes},
               {"/etc/ssh/ssh_config", false}};
  } else if (*file != "none") {
    sources = {{*file, true}};
  }
  std::vector<ConfigFile> files;
  for (const ConfigSource& source : sources) {
    auto read = read_config(source, surroundings);
    if (read) {
      files.push_back(std::move(*read));
    } else if (read.error().code != ErrorCode::not_found || file) {
      return fail(read.error());
    }
  }
  return SshConfig(std::make_unique<const Files>(Files{std::move(files), std::move(surroundings)}));
}

Result<HostSettings> SshConfig::resolve(std::string_view destination) const {
  const auto parsed = parse_destination(destination);
  if (!parsed) return fail(parsed.error());
  return settings_for(files_->files, *parsed, files_->surroundings);
}

Result<std::vector<HostSettings>> SshConfig::route(std::string_view destination) const {
  const auto parsed = parse_destination(destination);
  if (!parsed) return fail(parsed.error());
  Route route(files_->files, files_->surroundings);
  const auto done = route.add(*parsed);
  if (!done) return fail(done.error());
  return route.take();
}

SshConfig::SshConfig(std::unique_ptr<const Files> files) : files_(std::move(files)) {}
SshConfig::SshConfig(SshConfig&&) noexcept = default;
SshConfig& SshConfig::operator=(SshConfig&&) noexcept = default;
SshConfig::~SshConfig() = default;

}  // namespace jackal::remote
