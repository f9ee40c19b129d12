// The resolver against the installed ssh: for random configurations `ssh -G` must say the same, and refuse
// the same.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "jackal/remote/ssh_config.hpp"
#include "output_of.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using namespace jackal::remote;
using jackal::remote::test::output_of;
using Texts = std::vector<std::string>;

namespace {

class Directory {
public:
  Directory() {
    std::string pattern = (fs::temp_directory_path() / "jackal-ssh-config-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Directory() { fs::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    fs::permissions(path_ / name, fs::perms::owner_read | fs::perms::owner_write);
  }

private:
  fs::path path_;
};

/// Random configurations of few names, so that blocks match and settings meet.
class Generator {
public:
  Generator(std::mt19937& random, const Directory& directory) : random_(random), directory_(directory) {}

  std::string file(int depth) {
    std::string text;
    for (int lines = number(1, 10); lines > 0; --lines) text += line(depth);
    return text;
  }
  std::string host() {
    return one_of({"a1", "a2", "b", "A1", "b.lan", "u@a1", "v@b", "ssh://w@a1:77", "::1"});
  }

private:
  std::string line(int depth) {
    const std::string indent = one_of({"", "", "  ", "\t"});
    switch (number(0, 11)) {
      case 0:
      case 1:
        return indent + "Host " + patterns(" ") + "\n";
      case 2:
        return indent + "Match " + criteria() + "\n";
      case 3:
        return depth > 2 ? "# nothing\n" : indent + "Include " + include(depth) + "\n";
      default:
        return indent + setting() + one_of({"\n", "\n", "\r\n", " \n"});
    }
  }

  std::string setting() {
    const std::string keyword = one_of({"HostName",
                                        "HostName",
                                        "User",
                                        "User",
                                        "Port",
                                        "IdentityFile",
                                        "IdentityFile",
                                        "IdentitiesOnly",
                                        "IdentityAgent",
                                        "StrictHostKeyChecking",
                                        "ConnectTimeout",
                                        "UserKnownHostsFile",
                                        "GlobalKnownHostsFile",
                                        "ProxyJump",
                                        "ProxyCommand",
                                        "HostKeyAlias",
                                        "AddressFamily",
                                        "BindAddress",
                                        "Compression",
                                        "port",
                                        "IgnoreUnknown",
                                        "Other",
                                        "ForwardAgent"});
    const std::string separator = one_of({" ", " ", " ", "=", " = ", "  ", "\t"});
    const std::string text = keyword + separator + value(keyword);
    // OpenSSH 9.2 takes the host of `ProxyJump none # remark` to be called none.
    return keyword == "ProxyJump" ? text : text + one_of({"", "", "", "", " # remark"});
  }

  std::string value(const std::string& keyword) {
    static const std::map<std::string, Texts> kValues = {
        {"HostName", {"%h.lan", "b.lan", "a1.lan", "C.LAN", "10.0.0.7", "\"x\"", "x%%", "%n"}},
        {"User", {"u", "v", "'w'", "\"u v\"", "u v", "\\\"q", "a#b", "\"\""}},
        {"Port", {"1", "22", "65535", "0", "65536", "\"7\"", "7 8"}},
        {"port", {"5"}},
        {"IdentityFile", {"/i1", "/i2", "none", "'/i 3'", "/i\\ 4", "/i\\5", "NONE"}},
        {"IdentitiesOnly", {"yes", "no", "TRUE", "false", "1"}},
        {"IdentityAgent", {"/agent", "none", "%d/%n", "/%h-%p-%r-%k-%L-%l-%i-%u-%%", "${HOME}/x", "/%z"}},
        {"StrictHostKeyChecking", {"yes", "no", "ask", "off", "accept-new", "Accept-New", "maybe"}},
        {"ConnectTimeout", {"5", "1m", "1h2m3s", "none", "0", "5x", "1M"}},
        {"UserKnownHostsFile",
         {"/k1 /k2", "none", "~/k", "/k%n%h%%", "none /k", "\"/k 1\"", "${HOME}/k", "/k #"}},
        {"GlobalKnownHostsFile", {"/g1", "/g1 /g2", "none"}},
        {"ProxyJump", {"j", "u@j:7", "j1,u@j2,j3:9", "none", "ssh://u@j:7", "j,,k", "j:0", ",j"}},
        {"ProxyCommand", {"nc x 1", "none", "sh -c 'x \"y\"'", "x 'y"}},
        {"HostKeyAlias", {"alias", "Alias"}},
        {"AddressFamily", {"any", "inet", "INET6", "inet7"}},
        {"BindAddress", {"10.0.0.1"}},
        {"Compression", {"yes", "no"}},
        {"IgnoreUnknown", {"Other", "o*", "x,OTHER", "x"}},
        {"Other", {"1", "a b c", "'"}},
        {"ForwardAgent", {"yes", "no", "/sock"}},
    };
    return one_of(kValues.at(keyword));
  }

  std::string patterns(const std::string& separator) {
    std::string text = pattern();
    while (number(0, 2) == 0) text += separator + pattern();
    return text;
  }
  std::string pattern() {
    return one_of(
        {"*", "a*", "a?", "b", "*.lan", "!a1", "!*.lan", "a1", "A1", "u", "v", "?*1*", "!b", "**.l?n"});
  }

  std::string criteria() {
    if (number(0, 9) == 0)
      return one_of({"all", "final all", "canonical all", "!all", "host a* all", "all host b"});
    std::string text = criterion();
    while (number(0, 2) == 0) text += " " + criterion();
    return text;
  }
  std::string criterion() {
    const std::string negation = one_of({"", "", "", "!"});
    const std::string name =
        one_of({"host", "originalhost", "user", "Host", "localuser", "exec", "final", "canonical"});
    if (name == "final" || name == "canonical") return negation + name;
    if (name == "exec")
      return negation + name + one_of({" true", " false", " \"test %h = b.lan\"", " \"test %r%p = u22\""});
    return negation + name + one_of({" ", " ", "="}) + patterns(",");
  }

  std::string include(int depth) {
    const std::string name = "included" + std::to_string(++included_);
    directory_.write(name, file(depth + 1));
    return directory_.file(one_of({name, name, "missing", "included*"}));
  }

  int number(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }
  std::string one_of(const Texts& texts) {
    return texts[static_cast<std::size_t>(number(0, static_cast<int>(texts.size()) - 1))];
  }

  std::mt19937& random_;
  const Directory& directory_;
  int included_ = 0;
};

std::string joined(const Texts& texts) {
  if (texts.empty()) return "none";
  std::string text;
  for (const std::string& part : texts) text += (text.empty() ? "" : " ") + part;
  return text;
}

/// Our settings in the words of `ssh -G`.
std::map<std::string, Texts> in_words_of_ssh(const HostSettings& host) {
  static const std::map<StrictHostKeyChecking, std::string> kStrict = {
      {StrictHostKeyChecking::yes, "true"},
      {StrictHostKeyChecking::no, "false"},
      {StrictHostKeyChecking::ask, "ask"},
      {StrictHostKeyChecking::accept_new, "accept-new"}};
  static const std::map<AddressFamily, std::string> kFamily = {
      {AddressFamily::any, "any"}, {AddressFamily::inet, "inet"}, {AddressFamily::inet6, "inet6"}};
  std::map<std::string, Texts> words = {
      {"hostname", {host.hostname}},
      {"user", {host.user}},
      {"port", {std::to_string(host.port)}},
      {"addressfamily", {kFamily.at(host.address_family)}},
      {"identitiesonly", {host.identities_only ? "yes" : "no"}},
      {"compression", {host.compression ? "yes" : "no"}},
      {"stricthostkeychecking", {kStrict.at(host.strict_host_key_checking)}},
      {"connecttimeout", {host.connect_timeout ? std::to_string(host.connect_timeout->count()) : "none"}},
      {"userknownhostsfile", {joined(host.user_known_hosts_files)}},
      {"globalknownhostsfile", {joined(host.global_known_hosts_files)}},
  };
  if (host.identity_files_configured) words["identityfile"] = host.identity_files;
  if (!host.bind_address.empty()) words["bindaddress"] = {host.bind_address};
  if (!host.host_key_alias.empty()) words["hostkeyalias"] = {host.host_key_alias};
  if (!host.proxy_command.empty()) words["proxycommand"] = {host.proxy_command};
  if (!host.proxy_jump.empty()) words["proxyjump"] = {host.proxy_jump};
  if (!host.identity_agent.empty()) words["identityagent"] = {host.identity_agent};
  return words;
}

/// What `ssh -G` printed, spelled as above where it only names what it will look up later.
std::map<std::string, Texts> parsed(const std::string& text, const std::string& home) {
  std::map<std::string, Texts> words;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string name = line.substr(0, space);
    std::string value = line.substr(std::min(space + 1, line.size()));
    if (name == "identityfile" && value.substr(0, 2) == "~/") value = home + value.substr(1);
    if (name == "identityfile" && (value == "none" || value == "NONE")) {
      words[name];
    } else {
      words[name].push_back(value);
    }
  }
  return words;
}

void compare(const SshConfig& config, const std::string& path, const std::string& host,
             const std::string& home) {
  const auto ours = config.resolve(host);
  const auto theirs = output_of({"ssh", "-G", "-F", path, host});
  INFO((ours ? "" : ours.error().text()));
  REQUIRE(ours.has_value() == (theirs.status == 0));
  if (!ours) return;
  const auto expected = parsed(theirs.bytes, home);
  for (const auto& [name, values] : in_words_of_ssh(*ours)) {
    CAPTURE(name);
    REQUIRE(expected.count(name) == 1);
    CHECK(values == expected.at(name));
  }
  for (const char* name : {"bindaddress", "hostkeyalias", "proxycommand", "proxyjump"}) {
    CAPTURE(name);
    CHECK(in_words_of_ssh(*ours).count(name) == expected.count(name));
  }
}

void compare_random_configurations(unsigned seed, int rounds) {
  const std::string version = output_of({"sh", "-c", "ssh -V 2>&1"}).bytes;
  if (version.substr(0, 11) != "OpenSSH_9.2") {
    WARN("skipped: needs OpenSSH 9.2, whose parser later ones change in details; found: " << version);
    return;
  }
  ::setenv("SHELL", "/bin/sh", 1);
  ::unsetenv("SSH_AUTH_SOCK");
  std::mt19937 random(seed);
  const Surroundings surroundings = this_machine();
  for (int round = 0; round < rounds; ++round) {
    const Directory directory;
    Generator generator(random, directory);
    const std::string text = generator.file(0);
    const std::string host = generator.host();
    const std::string path = directory.file("config");
    directory.write("config", text);
    CAPTURE(round, text, host);
    const auto config = SshConfig::load(surroundings, path);
    if (config) {
      compare(*config, path, host, surroundings.home);
    } else {
      INFO(config.error().text());
      CHECK(output_of({"ssh", "-G", "-F", path, host}).status != 0);
    }
  }
}

}  // namespace

TEST_CASE("for random configurations, ssh -G says what we say") { compare_random_configurations(1, 150); }

TEST_CASE("for many random configurations, ssh -G says what we say", "[.][long]") {
  compare_random_configurations(std::random_device()(), 5000);
}
