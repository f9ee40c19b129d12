#include "launch/options.hpp"

#include "launch/fixture.hpp"

namespace jackal::launch {
namespace {

using std::chrono::milliseconds;

Error usage_error(const Words& args) {
  const Error error = must_fail(parse_options(args));
  CHECK(error.code == ErrorCode::usage);
  CHECK_FALSE(error.hint.empty());
  return error;
}

}  // namespace

TEST_CASE("without flags the command runs once on this machine", "[options]") {
  const Options options = options_of({"true"});
  CHECK(options.action == Action::launch);
  CHECK(options.repeat == 1);
  CHECK(options.connections_per_ip == 1);
  CHECK(options.grace == milliseconds(5000));
  CHECK(options.stdin_to == StdinTo::all);
  CHECK(options.ssh == SshProgram::libssh);
  CHECK_FALSE(options.hosts.has_value());
  CHECK_FALSE(options.backend.has_value());
  CHECK_FALSE(options.timeout.has_value());
  CHECK(options.command == Words{"true"});
}

TEST_CASE("every flag that takes a value gives it to its option", "[options]") {
  const Options options = options_of({"--hosts",
                                      "a,b",
                                      "--repeat-hosts",
                                      "2",
                                      "--exclude",
                                      "b",
                                      "--exclude=c",
                                      "--ssh-config",
                                      "cfg",
                                      "--ssh",
                                      "system",
                                      "--env",
                                      "A=1=2",
                                      "--env=B=",
                                      "--cwd",
                                      "/d",
                                      "--python",
                                      "py",
                                      "--stdin",
                                      "none",
                                      "--backend",
                                      "jaccl-ring",
                                      "--starting-port",
                                      "5000",
                                      "--connections-per-ip",
                                      "3",
                                      "--nccl-port",
                                      "6000",
                                      "--mpi-arg",
                                      "--mca 'x y'",
                                      "--mpi-arg",
                                      "z",
                                      "--grace",
                                      "0.5",
                                      "--timeout",
                                      "90",
                                      "prog",
                                      "-n",
                                      "7"});
  CHECK(options.hosts == "a,b");
  CHECK(options.repeat == 2);
  CHECK(options.exclude == Words{"b", "c"});
  CHECK(options.ssh_config == "cfg");
  CHECK(options.ssh == SshProgram::system);
  CHECK(options.env == remote::Environment{{"A", "1=2"}, {"B", ""}});
  CHECK(options.cwd == "/d");
  CHECK(options.python == "py");
  CHECK(options.stdin_to == StdinTo::none);
  CHECK(options.backend == hostfile::Backend::jaccl_ring);
  CHECK(options.starting_port == 5000);
  CHECK(options.connections_per_ip == 3);
  CHECK(options.nccl_port == 6000);
  CHECK(options.mpi_args == Words{"--mca", "x y", "z"});
  CHECK(options.grace == milliseconds(500));
  CHECK(options.timeout == milliseconds(90'000));
  CHECK(options.command == Words{"prog", "-n", "7"});
}

TEST_CASE("flags without a value switch something on", "[options]") {
  const Options options = options_of({"--pty", "--verbose", "--dry-run", "--json", "true"});
  CHECK(options.pty);
  CHECK(options.verbose);
  CHECK(options.json);
  CHECK(options.action == Action::dry_run);
  CHECK(options_of({"--hostfile", "h.json", "true"}).hostfile == "h.json");
}

TEST_CASE("help, version and print-python need no command", "[options]") {
  CHECK(options_of({"--help"}).action == Action::help);
  CHECK(options_of({"-h"}).action == Action::help);
  CHECK(options_of({"--version"}).action == Action::version);
  CHECK(options_of({"--print-python"}).action == Action::print_python);
  CHECK(version_text() == "launch 0.1.0\n");
}

TEST_CASE("short flags take their value beside or behind them", "[options]") {
  CHECK(options_of({"-n", "4", "true"}).repeat == 4);
  CHECK(options_of({"-n4", "true"}).repeat == 4);
  CHECK(options_of({"-p", "5000", "true"}).starting_port == 5000);
}

TEST_CASE("the last of a flag that is given twice counts", "[options]") {
  CHECK(options_of({"-n", "2", "--repeat-hosts", "3", "true"}).repeat == 3);
}

TEST_CASE("a flag may be cut short while it stays unique", "[options]") {
  CHECK(options_of({"--repeat", "3", "true"}).repeat == 3);
  CHECK(options_of({"--start=5000", "true"}).starting_port == 5000);
  CHECK(usage_error({"--host", "a", "true"}).what == "could be --hosts or --hostfile");
}

TEST_CASE("the command begins at -- or at the first word that is no flag", "[options]") {
  CHECK(options_of({"-n", "2", "--", "--verbose"}).command == Words{"--verbose"});
  CHECK(options_of({"prog", "--verbose", "-n", "3", "--", "--help"}).command ==
        Words{"prog", "--verbose", "-n", "3", "--", "--help"});
  CHECK(options_of({"--", "--", "x"}).command == Words{"--", "x"});
  CHECK(options_of({"-", "x"}).command == Words{"-", "x"});
  CHECK_FALSE(options_of({"prog", "--verbose"}).verbose);
}

TEST_CASE("words of the command may be anything", "[options]") {
  const Words command{"prog", "", "a b", "[x]", "\xff", "{}", "%s", "--env=\n"};
  CHECK(options_of(command).command == command);
}

TEST_CASE("values may look like anything", "[options]") {
  const Options options = options_of({"--env", "A=[1,2]", "--cwd", "-odd", "--mpi-arg", "--verbose", "true"});
  CHECK(options.env == remote::Environment{{"A", "[1,2]"}});
  CHECK(options.cwd == "-odd");
  CHECK(options.mpi_args == Words{"--verbose"});
}

TEST_CASE("a mistyped flag gets the nearest one as advice", "[options]") {
  const Error error = usage_error({"--hostfiel", "h", "true"});
  CHECK(error.where == "--hostfiel");
  CHECK(error.hint == "did you mean --hostfile?");
  CHECK(usage_error({"--xyzzy-frobnicate", "true"}).what == "no such flag");
  CHECK(usage_error({"-x", "true"}).where == "-x");
}

TEST_CASE("a flag without its value is an error that names it", "[options]") {
  CHECK(usage_error({"--hosts"}).where == "--hosts");
  CHECK(usage_error({"--hostfile", "--backend", "ring", "true"}).where == "--hostfile");
  CHECK(usage_error({"-n", "--", "true"}).where == "--repeat-hosts");
  CHECK(usage_error({"--verbose=yes", "true"}).where == "--verbose");
}

TEST_CASE("a value that cannot be meant is an error that names the flag", "[options]") {
  const std::vector<Words> cases{{"--repeat-hosts", "0"},
                                 {"--repeat-hosts", "two"},
                                 {"--repeat-hosts", "2x"},
                                 {"--repeat-hosts", "99999999"},
                                 {"--starting-port", "0"},
                                 {"--starting-port", "65536"},
                                 {"--nccl-port", "http"},
                                 {"--connections-per-ip", "0"},
                                 {"--backend", "rong"},
                                 {"--ssh", "putty"},
                                 {"--stdin", "rank0"},
                                 {"--grace", "-1"},
                                 {"--grace", "5s"},
                                 {"--grace", "1."},
                                 {"--timeout", "0"},
                                 {"--timeout", ".5"},
                                 {"--timeout", "1e3"},
                                 {"--env", "NAME"},
                                 {"--env", "=x"},
                                 {"--env", "1A=x"},
                                 {"--env", "A-B=x"},
                                 {"--mpi-arg", "'open"},
                                 {"--cwd", ""},
                                 {"--hosts", ""}};
  for (const Words& flag : cases) {
    INFO(flag[0] << " " << flag[1]);
    CHECK(usage_error({flag[0], flag[1], "true"}).where == flag[0]);
  }
  CHECK(usage_error({"--backend", "jaccl-rign", "true"}).hint == "did you mean jaccl-ring?");
}

TEST_CASE("flags that contradict each other are refused", "[options]") {
  CHECK(usage_error({"--hosts", "a", "--hostfile", "h", "true"}).where == "--hosts");
  CHECK(usage_error({"--json", "true"}).where == "--json");
}

TEST_CASE("no command is an error that shows one", "[options]") {
  for (const Words& args : {Words{}, Words{"-n", "2"}, Words{"--"}, Words{""}}) {
    CHECK(usage_error(args).what == "no command to run");
  }
}

TEST_CASE("tiny times are rounded up, never to nothing", "[options]") {
  CHECK(options_of({"--timeout", "0.0001", "true"}).timeout == milliseconds(1));
  CHECK(options_of({"--timeout", "1.0009", "true"}).timeout == milliseconds(1001));
  CHECK(options_of({"--grace", "0", "true"}).grace == milliseconds(0));
}

TEST_CASE("the interpreter goes before the command when asked for, or when a script needs one", "[options]") {
  Options options = options_of({"train.py", "-x"});
  CHECK(command_words(options) == Words{"train.py", "-x"});
  options.surroundings.command_is_script = true;
  options.surroundings.python = "/venv/bin/python3";
  CHECK(command_words(options) == Words{"/venv/bin/python3", "train.py", "-x"});
  options.python = "/opt/python";
  CHECK(command_words(options) == Words{"/opt/python", "train.py", "-x"});
  options.surroundings.command_is_script = false;
  CHECK(command_words(options) == Words{"/opt/python", "train.py", "-x"});
  CHECK(python_for(options) == "/opt/python");
}

}  // namespace jackal::launch
