#include "jackal/remote/node.hpp"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>

#include "jackal/base/file.hpp"
#include "jackal/base/unique_fd.hpp"
#include "run_on_node.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using namespace jackal::remote;
using namespace jackal::remote::test;

namespace {

using Shell = std::vector<std::string>;

/// This machine without a shell in between, then the guard's protocol with every shell that may be a node's
/// /bin/sh.
Shell any_shell() {
  return GENERATE(Shell{}, Shell{"dash"}, Shell{"bash", "--posix"}, Shell{"busybox", "sh"});
}

/// Runs one command to its end.
Ran run(const Shell& shell, const Command& command, const std::string& input = "") {
  OnNode on(shell);
  REQUIRE(on.connect());
  auto* process = on.start({command}).front();
  process->write(input);
  process->close_input();
  REQUIRE(on.run_until([&] { return on.ended(); }));
  CHECK(on.finish().left_over.empty());
  return std::move(*on.ran.front());
}

}  // namespace

TEST_CASE("a command's output, errors and exit code come back apart") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  const Ran ran = run(shell, sh("echo out; echo err >&2; exit 7"));
  CHECK(ran.out == "out\n");
  CHECK(ran.err == "err\n");
  CHECK(ran.status == ExitStatus{false, 7});
}

TEST_CASE("a signal is told from an exit code") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  CHECK(run(shell, sh("kill -KILL $$")).status == ExitStatus{true, SIGKILL});
}

TEST_CASE("arguments, environment and directory arrive byte for byte") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  Command command{
      {"printf", "%s|", "a b", "", "$x`'\"\\", "line\nbreak", "\xff\x81"}, {}, "/", true, {}, false};
  CHECK(run(shell, command).out == "a b||$x`'\"\\|line\nbreak|\xff\x81|");
  command = sh("printf %s \"$V\"; pwd");
  command.environment = {{"V", "first"}, {"V", "tab\tnew\nline 'q' \xc3\xa9"}};
  command.directory = "/tmp";
  CHECK(run(shell, command).out == "tab\tnew\nline 'q' \xc3\xa9/tmp\n");
}

TEST_CASE("input of any bytes reaches the program, then its end") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  std::string input;
  for (int i = 0; i < 300'000; ++i) input += static_cast<char>(i * 7);
  CHECK(run(shell, {{"cat"}, {}, "", true, {}, false}, input).out == input);
}

TEST_CASE("a file is there for the owner alone, and gone afterwards") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  Command command = sh("ls -l \"$F\" | cut -c1-10; echo \"$F\"; cat \"$F\"");
  const std::string bytes("a\0%s\\'\n\xff-", 9);
  command.files = {{"secret.bin", "F", bytes}};
  const Ran ran = run(shell, command);
  const std::size_t path_start = ran.out.find('\n') + 1;
  const std::size_t path_end = ran.out.find('\n', path_start);
  CHECK(ran.out.substr(0, path_start) == "-rw-------\n");
  CHECK(ran.out.substr(path_end + 1) == bytes);
  const fs::path path = ran.out.substr(path_start, path_end - path_start);
  CHECK(!fs::exists(path));
  CHECK(!fs::exists(path.parent_path()));
}

TEST_CASE("a program that is not there is exit code 127 with the shell's words") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  const Ran ran = run(shell, {{"no-such-program-here"}, {}, "", true, {}, false});
  CHECK(ran.status == ExitStatus{false, 127});
  CHECK(ran.err.find("no-such-program-here") != std::string::npos);
}

TEST_CASE("a directory that is not there is said, not ignored") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  Command command{{"pwd"}, {}, "/no/such/directory", true, {}, false};
  const Ran ran = run(shell, command);
  CHECK(ran.status == ExitStatus{false, 126});
  CHECK(ran.err.find("/no/such/directory") != std::string::npos);
}

TEST_CASE("a directory that is only preferred does not stop the program") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  Command command{{"echo", "ran"}, {}, "/no/such/directory", false, {}, false};
  CHECK(run(shell, command).out == "ran\n");
}

TEST_CASE("the PATH that was searched in vain is told at the end") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  OnNode on(shell);
  REQUIRE(on.connect());
  Command command{{"no-such-program-here"}, {{"PATH", "/bin:/nowhere"}}, "", true, {}, false};
  on.start({command});
  REQUIRE(on.run_until([&] { return on.ended(); }));
  CHECK(on.finish().search_paths == std::vector<std::string>{"/bin:/nowhere"});
}

TEST_CASE("a terminal is a terminal, of the size asked for, without noise before the program's bytes") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  Command command = sh("test -t 0 && test -t 1 && stty size");
  command.terminal = true;
  CHECK(run(shell, command).out == "30 100\r\n");
}

TEST_CASE("several processes share files and have their own streams") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  OnNode on(shell, 3);
  REQUIRE(on.connect());
  std::vector<Command> commands;
  for (const char* name : {"a", "b", "c"}) {
    commands.push_back(sh(std::string("cat \"$F\"; echo ") + name));
    commands.back().files = {{"shared", "F", "same "}};
  }
  on.start(commands);
  REQUIRE(on.run_until([&] { return on.ended(); }));
  on.finish();
  CHECK(on.ran[0]->out == "same a\n");
  CHECK(on.ran[2]->out == "same c\n");
}

TEST_CASE("a signal reaches the whole process group") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  OnNode on(shell);
  REQUIRE(on.connect());
  auto* process = on.start({sh("sleep 1000 & echo $!; wait")}).front();
  REQUIRE(on.run_until([&] { return !on.ran[0]->out.empty(); }));
  process->signal(SIGTERM);
  REQUIRE(on.run_until([&] { return on.ended(); }));
  CHECK(on.ran[0]->status == ExitStatus{true, SIGTERM});
  const pid_t child = std::stoi(on.ran[0]->out);
  CHECK(on.run_until([&] { return ::kill(child, 0) != 0; }));
  on.finish();
}

TEST_CASE("what a program wrote last waits for its reader, however late that comes") {
  const Shell shell = GENERATE(Shell{}, Shell{"/bin/sh"});
  OnNode on(shell, 2);
  on.options.grace = std::chrono::seconds(0);
  REQUIRE(on.connect());
  // Longer than streams are waited for that somebody else may hold.
  auto* process = on.start({sh("printf last"), sh("sleep 4")}).front();
  process->set_reading(false);
  REQUIRE(on.run_until([&] { return on.ran[1]->streams_ended; }));
  CHECK(!on.ran[0]->streams_ended);
  process->set_reading(true);
  REQUIRE(on.run_until([&] { return on.ended(); }));
  CHECK(on.ran[0]->out == "last");
  on.finish();
}

TEST_CASE("finish ends what ignores TERM, and what a program left behind") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  OnNode on(shell);
  REQUIRE(on.connect());
  on.start({sh("trap '' TERM; (sleep 1000; echo no) & sleep 1000 >/dev/null 2>&1 & echo $!; wait; wait")});
  REQUIRE(on.run_until([&] { return !on.ran[0]->out.empty(); }));
  const pid_t child = std::stoi(on.ran[0]->out);
  CHECK(::kill(child, 0) == 0);
  CHECK(on.finish().left_over.empty());
  CHECK(::kill(child, 0) != 0);
}

TEST_CASE("a guard that is killed is said, and finish still ends the processes and removes the files") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  OnNode on(shell);
  REQUIRE(on.connect());
  Command command = sh("echo \"$F\"; sleep 1000");
  command.files = {{"f", "F", "x"}};
  on.start({command});
  REQUIRE(on.run_until([&] { return !on.ran[0]->out.empty(); }));
  const fs::path directory = fs::path(on.ran[0]->out.substr(0, on.ran[0]->out.size() - 1)).parent_path();
  const auto guard = jackal::read_file(directory / "guard.pid", 99);
  REQUIRE(guard);
  ::kill(std::stoi(*guard), SIGKILL);
  REQUIRE(on.run_until([&] { return on.failure.has_value(); }));
  CHECK(on.failure->code == jackal::ErrorCode::lost);
  CHECK(on.finish().left_over.empty());
  CHECK(!fs::exists(directory));
}

TEST_CASE("a guard that is killed and whose directory is gone does not hold up the end") {
  OnNode on({"/bin/sh"}, 5);
  REQUIRE(on.connect());
  Command command = sh("echo \"$F\"");
  command.files = {{"f", "F", "x"}};
  on.start(std::vector<Command>(5, command));
  REQUIRE(on.run_until([&] { return on.ended(); }));
  const fs::path directory = fs::path(on.ran[0]->out.substr(0, on.ran[0]->out.size() - 1)).parent_path();
  const auto guard = jackal::read_file(directory / "guard.pid", 99);
  REQUIRE(guard);
  fs::remove_all(directory);
  ::kill(std::stoi(*guard), SIGKILL);
  REQUIRE(on.run_until([&] { return on.failure.has_value(); }));
  bool done = false;
  on.node->finish([&](const Node::Finished& finished) { done = finished.left_over.empty(); });
  CHECK(on.run_until([&] { return done; }));
}

TEST_CASE("when we die nothing is left soon, however long a grace was asked for") {
  const Shell shell = GENERATE(Shell{}, Shell{"/bin/sh"});
  OnNode on(shell);
  on.options.grace = std::chrono::seconds(1000);
  REQUIRE(on.connect());
  on.start({sh("trap '' TERM; sleep 1000 & echo $!; wait; wait")});
  REQUIRE(on.run_until([&] { return !on.ran[0]->out.empty(); }));
  const pid_t child = std::stoi(on.ran[0]->out);
  on.node.reset();
  const auto gone = [&] { return ::kill(child, 0) != 0 && !fs::exists("/tmp/jackal-" + on.options.id); };
  CHECK((on.run_until(gone) || on.run_until(gone)));
}

TEST_CASE("a variable that no shell can export is refused by name") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  OnNode on(shell);
  REQUIRE(on.connect());
  Command command = sh("true");
  command.environment = {{"BAD-NAME", "x"}};
  on.start({command});
  REQUIRE(on.run_until([&] { return on.failure.has_value(); }));
  CHECK(on.failure->what.find("BAD-NAME") != std::string::npos);
  on.finish();
  CHECK(!fs::exists("/tmp/jackal-" + on.options.id));
}

TEST_CASE("busy ports are told where asked for") {
  const Shell shell = any_shell();
  CAPTURE(shell);
  OnNode on(shell);
  on.options.want_busy_ports = true;
  const jackal::UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(fd.get(), 1) == 0);
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  REQUIRE(on.connect());
  CHECK(std::count(on.facts.busy_ports.begin(), on.facts.busy_ports.end(), ntohs(address.sin_port)) == 1);
  on.finish();
  CHECK(!fs::exists("/tmp/jackal-" + on.options.id));
}

TEST_CASE("what a login shell prints before the program is not the program's") {
  OnNode on({"/bin/sh"});
  on.shell.noise = "Welcome!\nYou have mail";
  REQUIRE(on.connect());
  on.start({sh("echo out; echo err >&2")});
  REQUIRE(on.run_until([&] { return on.ended(); }));
  on.finish();
  CHECK(on.ran[0]->out == "out\n");
  CHECK(on.ran[0]->err == "err\n");
}

TEST_CASE("processes that one connection refuses go over further ones") {
  OnNode on({"/bin/sh"}, 7);
  on.shell.channels = 3;
  REQUIRE(on.connect());
  for (auto* process : on.start(std::vector<Command>(7, sh("cat")))) {
    process->write("here");
    CHECK(process->unsent() == 4);
    process->close_input();
  }
  REQUIRE(on.run_until([&] { return on.ended(); }));
  on.finish();
  CHECK(on.connections == 3);
  for (const auto& ran : on.ran) CHECK(ran->out == "here");
}

TEST_CASE("a node on which nothing may run says so") {
  OnNode on({"/bin/sh"});
  on.shell.channels = 0;
  CHECK(!on.connect());
  REQUIRE(on.failure);
  CHECK(on.failure->code == jackal::ErrorCode::unreachable);
}

TEST_CASE("without a word from us for the silence, the guard ends everything by itself") {
  OnNode on({"/bin/sh"});
  on.options.silence = std::chrono::seconds(6);
  on.options.heartbeat = std::chrono::seconds(1000);
  REQUIRE(on.connect());
  on.start({sh("sleep 1000 & echo $!; wait")});
  REQUIRE(on.run_until([&] { return !on.ran[0]->out.empty(); }));
  const pid_t child = std::stoi(on.ran[0]->out);
  CHECK(on.run_until([&] { return ::kill(child, 0) != 0 && on.failure; }));
  CHECK(!fs::exists("/tmp/jackal-" + on.options.id));
}

TEST_CASE("a node whose guard's answers come late is not lost while its output flows") {
  OnNode on({"/bin/sh"});
  on.options.silence = std::chrono::seconds(1);
  on.options.heartbeat = std::chrono::milliseconds(100);
  REQUIRE(on.connect());
  on.start({sh("while :; do echo more; sleep 0.05; done")});
  REQUIRE(on.run_until([&] { return !on.ran[0]->out.empty(); }));
  const pid_t guard = on.guard();
  ::kill(guard, SIGSTOP);
  const auto until = Clock::now() + 3 * on.options.silence;
  CHECK(on.run_until([&] { return on.failure || Clock::now() > until; }));
  ::kill(guard, SIGCONT);
  CHECK(!on.failure);
  CHECK(on.finish().left_over.empty());
}

TEST_CASE("a login shell that stays in between does not keep a program from being ended") {
  const std::string shell = GENERATE("dash", "bash --posix", "busybox sh");
  CAPTURE(shell);
  OnNode on({"/bin/sh", "-c", shell + " \"$@\"; exit $?", "sh"}, 2);
  REQUIRE(on.connect());
  auto* process = on.start({sh("sleep 1000 & echo $!; wait"), sh("sleep 1000 & echo $!; wait")}).front();
  REQUIRE(on.run_until([&] { return !on.ran[0]->out.empty() && !on.ran[1]->out.empty(); }));
  process->signal(SIGTERM);
  REQUIRE(on.run_until([&] { return on.ran[0]->exited; }));
  CHECK(on.finish().left_over.empty());
  for (const auto& ran : on.ran) CHECK(::kill(std::stoi(ran->out), 0) != 0);
}
