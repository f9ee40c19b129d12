#include "jackal/remote/ssh_config.hpp"

#include "ssh_config_world.hpp"
#include "support/catch.hpp"

using jackal::Error;
using jackal::ErrorCode;
using jackal::remote::AddressFamily;
using jackal::remote::HostSettings;
using jackal::remote::SshConfig;
using jackal::remote::StrictHostKeyChecking;
using jackal::remote::test::World;
using Texts = std::vector<std::string>;

namespace {

World with_config(const std::string& text) { return {{{"/home/me/.ssh/config", text}}, {}, {}}; }

jackal::Result<HostSettings> try_resolve(const World& world, const std::string& host) {
  const auto config = SshConfig::load(world.surroundings());
  if (!config) return jackal::fail(config.error());
  return config->resolve(host);
}

HostSettings resolve(const World& world, const std::string& host) {
  const auto settings = try_resolve(world, host);
  INFO((settings ? "" : settings.error().text()));
  REQUIRE(settings);
  return *settings;
}

HostSettings resolve(const std::string& text, const std::string& host) {
  return resolve(with_config(text), host);
}

std::string error_of(const World& world, const std::string& host = "h") {
  const auto settings = try_resolve(world, host);
  REQUIRE(!settings);
  return settings.error().where + ": " + settings.error().what;
}

std::string error_of(const std::string& text, const std::string& host = "h") {
  return error_of(with_config(text), host);
}

}  // namespace

TEST_CASE("without configuration, OpenSSH's defaults hold") {
  World world;
  world.variables["SSH_AUTH_SOCK"] = "/run/agent";
  const HostSettings host = resolve(world, "Node");
  CHECK(host.alias == "Node");
  CHECK(host.hostname == "node");
  CHECK(host.user == "me");
  CHECK(host.port == 22);
  CHECK(host.identity_files.front() == "/home/me/.ssh/id_rsa");
  CHECK(host.identity_files.size() == 6);
  CHECK(!host.identity_files_configured);
  CHECK(host.identity_agent == "/run/agent");
  CHECK(host.strict_host_key_checking == StrictHostKeyChecking::ask);
  CHECK(host.user_known_hosts_files == Texts{"/home/me/.ssh/known_hosts", "/home/me/.ssh/known_hosts2"});
  CHECK(host.global_known_hosts_files == Texts{"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"});
  CHECK(!host.connect_timeout);
  CHECK(host.proxy_jump.empty());
  CHECK(host.proxy_command.empty());
  CHECK(host.not_honoured.empty());
}

TEST_CASE("every honoured keyword reaches its field") {
  const HostSettings host = resolve(
      "Host n\n"
      "HostName Node.Example\nUser ann\nPort 2222\nAddressFamily inet6\nBindAddress 10.0.0.1\n"
      "ConnectTimeout 1m30\nIdentityFile ~/a\nIdentityFile /b\nIdentitiesOnly yes\nIdentityAgent ~/agent\n"
      "StrictHostKeyChecking accept-new\nHostKeyAlias Cluster\nUserKnownHostsFile ~/k1 /k2\n"
      "GlobalKnownHostsFile /g\nKexAlgorithms +x\nHostKeyAlgorithms ^y\nCiphers -z\nMACs m\n"
      "PubkeyAcceptedKeyTypes p\nRequiredRSASize 2048\nCompression yes\nProxyCommand nc %h %p # not a "
      "comment\n",
      "n");
  CHECK(host.alias == "n");
  CHECK(host.hostname == "node.example");
  CHECK(host.user == "ann");
  CHECK(host.port == 2222);
  CHECK(host.address_family == AddressFamily::inet6);
  CHECK(host.bind_address == "10.0.0.1");
  CHECK(host.connect_timeout == std::chrono::seconds(90));
  CHECK(host.identity_files == Texts{"/home/me/a", "/b"});
  CHECK(host.identity_files_configured);
  CHECK(host.identities_only);
  CHECK(host.identity_agent == "/home/me/agent");
  CHECK(host.strict_host_key_checking == StrictHostKeyChecking::accept_new);
  CHECK(host.host_key_alias == "cluster");
  CHECK(host.user_known_hosts_files == Texts{"/home/me/k1", "/k2"});
  CHECK(host.global_known_hosts_files == Texts{"/g"});
  CHECK(host.kex_algorithms == "+x");
  CHECK(host.host_key_algorithms == "^y");
  CHECK(host.ciphers == "-z");
  CHECK(host.macs == "m");
  CHECK(host.pubkey_accepted_algorithms == "p");
  CHECK(host.required_rsa_size == 2048);
  CHECK(host.compression);
  CHECK(host.proxy_command == "nc node.example 2222 # not a comment");
  CHECK(host.not_honoured.empty());
}

TEST_CASE("the first value wins, also across files, and what was typed comes before both") {
  World world = with_config("Host n*\n Port 1\nHost *\n Port 2\n User u\n");
  world.files["/etc/ssh/ssh_config"] = "Port 3\nCompression yes\n";
  CHECK(resolve(world, "n1").port == 1);
  CHECK(resolve(world, "m1").port == 2);
  CHECK(resolve(world, "n1").compression);
  CHECK(resolve(world, "ssh://me%40x@n1:9").port == 9);
  CHECK(resolve(world, "ssh://me%40x@n1:9").user == "me@x");
  CHECK(resolve(world, "a@b@n1").user == "a@b");
}

TEST_CASE("hosts are typed in many ways") {
  CHECK(resolve("", "fe80::1").hostname == "fe80::1");
  CHECK(resolve("", "FE80:0::1").hostname == "fe80::1");
  CHECK(resolve("", "[::1]").hostname == "::1");
  CHECK(resolve("", "u@::1").user == "u");
  CHECK(resolve("", "ssh://[::1]:77/").hostname == "::1");
  CHECK(resolve("", "ssh://[::1]:77/").port == 77);
  CHECK(resolve("", "ssh://u@h").user == "u");
}

TEST_CASE("what is no host is refused as a usage error") {
  for (const char* text :
       {"", "u@", "@h", "-x", "a b", "a;b", "a$(b)", "u;v@h", "-u@h", "ssh://", "ssh://h:0", "ssh://h:99999",
        "ssh://h/path", "ssh://[::1", "ssh://u%zz@h", "ssh://u%00@h"}) {
    CAPTURE(text);
    const auto settings = try_resolve({}, text);
    REQUIRE(!settings);
    CHECK(settings.error().code == ErrorCode::usage);
  }
}

TEST_CASE("Host patterns take wildcards, and one negated match excludes") {
  const std::string text = "Host m? !m3 *.lan\n Port 7\n";
  CHECK(resolve(text, "m1").port == 7);
  CHECK(resolve(text, "m3").port == 22);
  CHECK(resolve(text, "m12").port == 22);
  CHECK(resolve(text, "a.b.lan").port == 7);
  CHECK(resolve(text, "M1").port == 22);
  CHECK(resolve("Host !m3\n Port 7\n", "m1").port == 22);
}

TEST_CASE("lines are read with OpenSSH's punctuation") {
  CHECK(resolve("  PORT=7 # seven\r\n", "h").port == 7);
  CHECK(resolve("Port = 7", "h").port == 7);
  CHECK(resolve("\t\"Port\" \"7\"\n", "h").port == 7);
  CHECK(resolve("# Port 7\n\n", "h").port == 22);
  CHECK(resolve("User \"a b\"\n", "h").user == "a b");
  CHECK(resolve("User a\\ b\\\"\n", "h").user == "a b\"");
  CHECK(resolve("User 'a#b'\n", "h").user == "a#b");
  CHECK(resolve("User a#b\n", "h").user == "a#b");
}

TEST_CASE("Match looks at hosts and users as they are so far") {
  CHECK(resolve("HostName x.lan\nMatch host *.lan\n Port 7\n", "h").port == 7);
  CHECK(resolve("HostName x.lan\nMatch originalhost h\n Port 7\n", "h").port == 7);
  CHECK(resolve("HostName x.lan\nMatch originalhost x.lan\n Port 7\n", "h").port == 22);
  CHECK(resolve("Match user u,v\n Port 7\n", "v@h").port == 7);
  CHECK(resolve("Match !user u,v\n Port 7\n", "v@h").port == 22);
  CHECK(resolve("Match localuser me host=\"H\"\n Port 7\n", "h").port == 7);
  CHECK(resolve("Match localuser you\n Port 7\n", "h").port == 22);
  CHECK(resolve("Host x\nMatch all\n Port 7\n", "h").port == 7);
  CHECK(resolve("Tag t\nMatch tagged t\n Port 7\n", "h").port == 7);
}

TEST_CASE("Match exec asks the injected function, and only when the rest still matches") {
  World world = with_config("Match exec \"test %h -p %p\"\n Port 7\n");
  CHECK(resolve(world, "h").port == 22);
  world.commands_that_succeed = {"test h -p 22"};
  CHECK(resolve(world, "h").port == 7);
  world.files["/home/me/.ssh/config"] = "Match user nobody exec \"test %h -p %p\"\n Port 7\n";
  CHECK(resolve(world, "h").port == 22);
}

TEST_CASE("Match final reads the files again, with the name that HostName gave") {
  const std::string text = "Match final\n Port 7\nHost x.lan\n User u\nHost h\n HostName x.lan\n";
  const HostSettings host = resolve(text, "h");
  CHECK(host.port == 7);
  CHECK(host.user == "u");
  CHECK(host.hostname == "x.lan");
  CHECK(resolve("Host x.lan\n User u\nHost h\n HostName x.lan\n", "h").user == "me");
}

TEST_CASE("Include reads other files in place, and their Host lines end with them") {
  World world = with_config("Include conf.d/*\nInclude none.conf\nHost h\nInclude ~/only-h\nPort 9\n");
  world.files["/home/me/.ssh/conf.d/1"] = "Host other\nUser wrong\n";
  world.files["/home/me/.ssh/conf.d/2"] = "User u\n";
  world.files["/home/me/only-h"] = "Compression yes\nHost *\nBindAddress ::1\nHost nobody\n";
  CHECK(resolve(world, "h").user == "u");
  CHECK(resolve(world, "h").compression);
  CHECK(resolve(world, "h").bind_address == "::1");
  CHECK(resolve(world, "h").port == 9);
  CHECK(resolve(world, "x").bind_address.empty());
}

TEST_CASE("the system's file includes from its own directory") {
  World world;
  world.files["/etc/ssh/ssh_config"] = "Include ssh_config.d/*.conf\n";
  world.files["/etc/ssh/ssh_config.d/a.conf"] = "Port 7\n";
  CHECK(resolve(world, "h").port == 7);
}

TEST_CASE("an Include that includes itself ends with an error") {
  World world = with_config("Include config\n");
  CHECK(error_of(world) == "~/.ssh/config:1: Include is nested more than 16 deep");
  world.files["/home/me/.ssh/config"] = "Include config config\n";
  CHECK(error_of(world) == "~/.ssh/config:1: Include is nested more than 16 deep");
}

TEST_CASE("tokens, ~ and variables are expanded") {
  World world = with_config(
      "HostName %h.lan\nIdentityFile ~ann/%n_%r@%h:%p\nIdentityFile %d/%u/%i/%L/%l/%k/%%\n"
      "UserKnownHostsFile ${DIR}/known ~/k\nIdentityAgent $SOCK\nPort 7\n");
  world.variables = {{"DIR", "/d"}, {"SOCK", "/s"}};
  const HostSettings host = resolve(world, "u@h");
  CHECK(host.hostname == "h.lan");
  CHECK(host.identity_files == Texts{"/home/ann/h_u@h.lan:7", "/home/me/me/1000/desk/desk.example.org/h/%"});
  CHECK(host.user_known_hosts_files == Texts{"/d/known", "/home/me/k"});
  CHECK(host.identity_agent == "/s");
}

TEST_CASE("none means none") {
  const HostSettings host = resolve(
      "IdentityFile none\nIdentityAgent none\nProxyJump none\nUserKnownHostsFile none\n"
      "GlobalKnownHostsFile none\nConnectTimeout none\n",
      "h");
  CHECK(host.identity_files.empty());
  CHECK(host.identity_files_configured);
  CHECK(host.identity_agent.empty());
  CHECK(host.proxy_jump.empty());
  CHECK(host.user_known_hosts_files.empty());
  CHECK(host.global_known_hosts_files.empty());
  CHECK(!host.connect_timeout);
}

TEST_CASE("of ProxyJump and ProxyCommand, the first shuts out the other") {
  CHECK(resolve("ProxyJump j\nProxyCommand c\n", "h").proxy_jump == "j");
  CHECK(resolve("ProxyJump j\nProxyCommand c\n", "h").proxy_command.empty());
  CHECK(resolve("ProxyCommand none\nProxyJump j\n", "h").proxy_jump.empty());
  CHECK(resolve("ProxyJump none\nProxyCommand c\n", "h").proxy_command == "c");
  CHECK(resolve("ProxyJump u@j:7,k # gate\n", "h").proxy_jump == "u@j:7,k");
  CHECK(resolve("ProxyJump none # today\n", "h").proxy_jump.empty());
  CHECK(resolve("ProxyJump ssh://u@[::1]:7,%r@gate-%n\n", "me@h").proxy_jump == "u@[::1]:7,me@gate-h");
}

TEST_CASE("errors say where, what was found and what was expected") {
  CHECK(error_of("Host h\n  Prot 7\n") == "~/.ssh/config:2: bad configuration option Prot");
  CHECK(error_of("Port 0") == "~/.ssh/config:1: Port: expected a port from 1 to 65535, found 0");
  CHECK(error_of("Host x\nPort 7x") == "~/.ssh/config:2: Port: expected a port from 1 to 65535, found 7x");
  CHECK(error_of("\nUser") == "~/.ssh/config:2: no argument after keyword User");
  CHECK(error_of("User # u") == "~/.ssh/config:1: User: expected a value, found nothing");
  CHECK(error_of("User a b") == "~/.ssh/config:1: User: expected one value, found a b");
  CHECK(error_of("User \"a") == "~/.ssh/config:1: a quote without its partner");
  CHECK(error_of("BatchMode maybe") == "~/.ssh/config:1: BatchMode: expected yes or no, found maybe");
  CHECK(error_of("ConnectTimeout 5x") ==
        "~/.ssh/config:1: ConnectTimeout: expected a time such as 30 or 1m30s, found 5x");
  CHECK(error_of("StrictHostKeyChecking perhaps") ==
        "~/.ssh/config:1: StrictHostKeyChecking: expected yes, accept-new, no, off or ask, found perhaps");
  CHECK(error_of("ProxyJump a,,b") ==
        "~/.ssh/config:1: ProxyJump: expected [user@]host[:port] with commas between, or none, found a,,b");
  CHECK(error_of("ProxyJump a b") ==
        "~/.ssh/config:1: ProxyJump: expected [user@]host[:port] with commas between, or none, found a b");
  CHECK(error_of("Match") == "~/.ssh/config:1: no argument after keyword Match");
  CHECK(error_of("Match host") == "~/.ssh/config:1: Match host has no argument");
  CHECK(error_of("Match localnetwork 10.0.0.0/8") == "~/.ssh/config:1: Match localnetwork is not supported");
  CHECK(error_of("Match host h user me all") ==
        "~/.ssh/config:1: Match all stands alone, or after canonical or final");
  CHECK(error_of("IdentityFile %C") ==
        "~/.ssh/config:1: unknown token %C, expected %% or % and one of dhijkLlnpru");
  CHECK(error_of("IdentityFile ${NO}/x") == "~/.ssh/config:1: the environment has no variable NO");
  CHECK(error_of("IdentityFile ~nobody/x") == "~/.ssh/config:1: ~nobody/x: there is no such user");
  CHECK(error_of(std::string("User a\0b", 8)) == "~/.ssh/config:1: a NUL byte, expected text");
  CHECK(error_of("RefuseConnection \"use the other\"") ==
        "~/.ssh/config:1: the configuration refuses connections to h: use the other");
}

TEST_CASE("IgnoreUnknown allows what it names, from there on") {
  CHECK(resolve("IgnoreUnknown Foo*,bar\nfoobaz 1\nBAR 2\nPort 7\n", "h").port == 7);
  CHECK(error_of("Foo 1\nIgnoreUnknown Foo\n") == "~/.ssh/config:1: bad configuration option Foo");
}

TEST_CASE("a named file stands instead of both, and none for neither") {
  World world = with_config("Port 1\n");
  world.files["/f"] = "Port 2\n";
  CHECK(SshConfig::load(world.surroundings(), "/f")->resolve("h")->port == 2);
  CHECK(SshConfig::load(world.surroundings(), "none")->resolve("h")->port == 22);
  CHECK(SshConfig::load(world.surroundings(), "/missing").error().code == ErrorCode::not_found);
}

TEST_CASE("certificates of all matching blocks count, none leaves them out") {
  CHECK(resolve("CertificateFile ~/a-%n\nCertificateFile none\nHost h\nCertificateFile /b\n", "h")
            .certificate_files == Texts{"/home/me/a-h", "/b"});
}

TEST_CASE("what ssh would have done and we do not is listed once, with its place") {
  const HostSettings host = resolve(
      "Host h\nForwardAgent yes\nLocalForward 1 a:2\nLocalForward 3 b:4\nRevokedHostKeys r\n"
      "Host *\nForwardAgent no\nForwardX11 no\nForwardX11 yes\nRemoteCommand tmux\nSetEnv A=b\nUseKeychain "
      "yes\n",
      "h");
  CHECK(host.not_honoured == Texts{"ForwardAgent (~/.ssh/config:2)", "LocalForward (~/.ssh/config:3)",
                                   "RevokedHostKeys (~/.ssh/config:5)", "RemoteCommand (~/.ssh/config:10)",
                                   "SetEnv (~/.ssh/config:11)"});
  CHECK(host.may_explain_refusal == Texts{"UseKeychain (~/.ssh/config:12)"});
}

TEST_CASE("harmless lines and Debian's defaults warn of nothing") {
  World world = with_config(
      "ControlMaster auto\nControlPath none\nServerAliveInterval 5\nForwardAgent no\nTunnel no\n"
      "LocalForward 1 a:2\nClearAllForwardings yes\nConnectionAttempts 1\nPubkeyAuthentication yes\n"
      "LocalCommand true\nCanonicalizeHostname no\nPreferredAuthentications gssapi-with-mic,publickey\n");
  world.files["/etc/ssh/ssh_config"] =
      "Host *\n    SendEnv LANG LC_*\n    HashKnownHosts yes\n    GSSAPIAuthentication yes\n";
  CHECK(resolve(world, "h").not_honoured.empty());
  CHECK(resolve(world, "h").may_explain_refusal.empty());
}

TEST_CASE("settings that turn off what we do use are listed, too") {
  CHECK(resolve("PubkeyAuthentication no\n", "h").not_honoured.size() == 1);
  CHECK(resolve("PreferredAuthentications password\n", "h").not_honoured.size() == 1);
  CHECK(resolve("ConnectionAttempts 5\n", "h").not_honoured.size() == 1);
  CHECK(resolve("SendEnv LANG TOKEN\n", "h").not_honoured.size() == 1);
  CHECK(resolve("PermitLocalCommand yes\nLocalCommand true\n", "h").not_honoured.size() == 1);
}

TEST_CASE("a timeout of none leaves room for a later one, as with OpenSSH") {
  CHECK(resolve("ConnectTimeout none\nConnectTimeout 5\n", "h").connect_timeout == std::chrono::seconds(5));
}

TEST_CASE("a route visits jump hosts in order, each with its own settings") {
  const World world = with_config(
      "Host a\n HostName a.lan\n Port 7\n ProxyCommand nc %h %p\n"
      "Host b\n User bob\n ProxyJump elsewhere\n"
      "Host t\n ProxyJump u@a,b:9\n");
  const auto config = SshConfig::load(world.surroundings());
  const auto route = config->route("t");
  REQUIRE(route);
  REQUIRE(route->size() == 3);
  CHECK((*route)[0].hostname == "a.lan");
  CHECK((*route)[0].user == "u");
  CHECK((*route)[0].port == 7);
  CHECK((*route)[0].proxy_command == "nc a.lan 7");
  CHECK((*route)[1].hostname == "b");
  CHECK((*route)[1].user == "bob");
  CHECK((*route)[1].port == 9);
  CHECK((*route)[2].hostname == "t");
  CHECK((*route)[2].proxy_jump.empty());
}

TEST_CASE("a jump host's own jump host comes first") {
  const World world = with_config("Host t\n ProxyJump a\nHost a\n ProxyJump b\n");
  const auto route = SshConfig::load(world.surroundings())->route("t");
  REQUIRE(route->size() == 3);
  CHECK((*route)[0].hostname == "b");
  CHECK((*route)[1].hostname == "a");
}

TEST_CASE("jump hosts in a circle are an error that shows the circle") {
  const World world = with_config("Host *\n ProxyJump gate\n");
  const auto route = SshConfig::load(world.surroundings())->route("t");
  REQUIRE(!route);
  CHECK(route.error().what == "ProxyJump goes in a circle: me@t:22 needs me@gate:22 needs me@gate:22");
}

TEST_CASE("jump hosts without end are an error") {
  const World world = with_config("ProxyJump x%h\n");
  const auto route = SshConfig::load(world.surroundings())->route("t");
  REQUIRE(!route);
  CHECK(route.error().what == "ProxyJump needs more than 16 jump hosts, each behind another");
}
