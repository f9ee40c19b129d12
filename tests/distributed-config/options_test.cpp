#include "distributed-config/options.hpp"

#include <algorithm>

#include "distributed-config/command_line.hpp"
#include "support/catch.hpp"

namespace jackal::distributed_config {
namespace {

using hostfile::Backend;
using Words = std::vector<std::string>;

Options options_of(const Words& args) {
  const auto options = parse_options(args);
  if (!options) FAIL(options.error().text());
  return *options;
}

Error refused(const Words& args) {
  const auto options = parse_options(args);
  if (options) FAIL("it went well");
  CHECK(options.error().code == ErrorCode::usage);
  CHECK_FALSE(options.error().hint.empty());
  return options.error();
}

}  // namespace

TEST_CASE("without flags this machine is asked over Thunderbolt and nothing is written") {
  const Options options = options_of({});
  CHECK(options.action == Action::plan);
  CHECK_FALSE(options.hosts.has_value());
  CHECK_FALSE(options.output_hostfile.has_value());
  CHECK_FALSE(options.request.backend.has_value());
  CHECK(options.request.over == tbdiscovery::Over::thunderbolt);
  CHECK_FALSE(options.request.auto_setup);
  CHECK(options.ssh == remote::Transport::libssh);
}

TEST_CASE("every flag gives its value to its option") {
  const Options options = options_of({"--hosts",
                                      "a,b",
                                      "--exclude",
                                      "b",
                                      "--exclude=c",
                                      "--ignore-unreachable",
                                      "--ssh-config",
                                      "cfg",
                                      "--ssh",
                                      "system",
                                      "--save-probes",
                                      "dir",
                                      "--over",
                                      "ethernet",
                                      "--backend",
                                      "jaccl-ring",
                                      "--env",
                                      "A=1=2",
                                      "--env",
                                      "B=",
                                      "--allow-subset",
                                      "--no-auto-setup",
                                      "--output-hostfile",
                                      "h.json",
                                      "--json",
                                      "--svg",
                                      "map.svg",
                                      "--verbose"});
  CHECK(options.hosts == "a,b");
  CHECK(options.exclude == Words{"b", "c"});
  CHECK(options.ignore_unreachable);
  CHECK(options.ssh_config == "cfg");
  CHECK(options.ssh == remote::Transport::system_ssh);
  CHECK(options.save_probes == "dir");
  CHECK(options.request.over == tbdiscovery::Over::ethernet);
  CHECK(options.request.backend == Backend::jaccl_ring);
  CHECK(options.request.envs == Words{"A=1=2", "B="});
  CHECK(options.request.allow_subset);
  CHECK(options.output_hostfile == "h.json");
  CHECK(options.json);
  CHECK(options.svg == "map.svg");
  CHECK(options.verbose);
  CHECK(options_of({"--hostfile", "f", "--from-probes", "dir", "--dot"}).dot);
}

TEST_CASE("a flag may be cut short as long as it stays unique") {
  CHECK(options_of({"--output", "h.json"}).output_hostfile == "h.json");
  CHECK(options_of({"--out=h.json"}).output_hostfile == "h.json");
  CHECK(refused({"--s", "x"}).what == "could be --ssh-config or --ssh or --save-probes or --svg");
}

TEST_CASE("every beginning of a flag is that flag, or is refused with all it could be") {
  std::vector<std::string> flags;
  for (const auto& group : flag_table().groups) {
    for (const auto& flag : group.flags) flags.push_back(flag.names.substr(flag.names.rfind("--")));
  }
  for (const auto& group : flag_table().groups) {
    for (const auto& flag : group.flags) {
      const auto name = flag.names.substr(flag.names.rfind("--"));
      for (std::size_t length = 3; length <= name.size(); ++length) {
        const auto typed = name.substr(0, length);
        INFO(typed);
        const auto meant = std::count_if(flags.begin(), flags.end(), [&](const std::string& other) {
          return other.compare(0, length, typed) == 0;
        });
        Words args = {typed};
        if (!flag.type.empty()) args.emplace_back("x");
        const auto line = cli::split_command_line(flag_table(), args);
        const bool whole = std::find(flags.begin(), flags.end(), typed) != flags.end();
        REQUIRE(line.has_value() == (meant == 1 || whole));
        if (line) {
          CHECK(line->has(whole ? typed : name));
        } else {
          CHECK(line.error().what.find(name) != std::string::npos);
        }
      }
    }
  }
}

TEST_CASE("reports and redacted probes") {
  CHECK(options_of({"--report", "r.html"}).report == "r.html");
  CHECK(options_of({"--save-probes", "d", "--redact"}).redact);
  CHECK(options_of({"--from-probes", "d", "--save-probes", "e", "--redact"}).from_probes == "d");
  CHECK(refused({"--redact"}).where == "--redact");
  CHECK(refused({"--from-probes", "d", "--save-probes", "e"}).where == "--save-probes");
  CHECK(refused({"--check", "h.json", "--report", "r.html"}).where == "--report");
}

TEST_CASE("--check compares and plans nothing") {
  const Options options = options_of({"--check", "h.json", "--json"});
  CHECK(options.action == Action::check);
  CHECK(options.check == "h.json");
  for (const Words& more : std::vector<Words>{
           {"--output", "x"}, {"--backend", "ring"}, {"--env", "A=1"}, {"--allow-subset"}, {"--dot"}}) {
    Words args = {"--check", "h.json"};
    args.insert(args.end(), more.begin(), more.end());
    refused(args);
  }
}

TEST_CASE("what contradicts itself or is not known is refused, naming the flag") {
  CHECK(refused({"--hosts", "a", "--hostfile", "f"}).where == "--hosts");
  CHECK(refused({"--save-probes", "a", "--from-probes", "b"}).where == "--save-probes");
  CHECK(refused({"--json", "--dot"}).where == "--json");
  CHECK(refused({"--from-probes", "a", "--ssh", "system"}).where == "--ssh");
  CHECK(refused({"--over", "wifi"}).where == "--over");
  CHECK(refused({"--backend", "nccl"}).hint == "give launch --hosts and --backend nccl");
  CHECK(refused({"--backend", "jacl"}).where == "--backend");
  CHECK(refused({"--env", "1A=2"}).where == "--env");
  CHECK(refused({"--auto-sail"}).what == "no such flag");
  CHECK(refused({"--auto-setup", "--no-auto-setup"}).where == "--auto-setup");
  for (const char* flag : {"--auto-setup", "--persist", "--json", "--dot", "--allow-subset"})
    CHECK(refused({"--undo", flag}).where == flag);
  CHECK(refused({"--undo", "--from-probes", "dir"}).where == "--undo");
  CHECK(refused({"--auto-setup", "--from-probes", "dir"}).where == "--auto-setup");
  CHECK(refused({"mac1"}).what == "is no flag");
  CHECK(refused({"--hosts"}).what == "needs a value");
}

TEST_CASE("--help and --version win over what would be refused beside them") {
  CHECK(options_of({"--help", "--json", "--dot"}).action == Action::help);
  CHECK(options_of({"--version"}).action == Action::version);
  CHECK(version_text().rfind("distributed-config ", 0) == 0);
}

TEST_CASE("setting up, making it last and undoing it") {
  CHECK_FALSE(parse_options({})->request.auto_setup);
  CHECK_FALSE(parse_options({"--no-auto-setup"})->request.auto_setup);
  const auto options = parse_options({"--hosts", "a,b", "--auto-setup", "--persist"});
  CHECK(options->request.auto_setup);
  CHECK(options->persist);
  CHECK(parse_options({"--hosts", "a,b", "--undo"})->action == Action::undo);
}

}  // namespace jackal::distributed_config
