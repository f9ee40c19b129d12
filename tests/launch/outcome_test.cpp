#include "launch/outcome.hpp"

#include <algorithm>
#include <csignal>
#include <random>

#include "launch/fixture.hpp"

namespace jackal::launch {
namespace {

using std::chrono::milliseconds;

const Words kHosts{"n1", "n2", "n3", "n4"};

Ending ending(int rank, How how, int number = 0, int after_ms = 1250) {
  Ending made;
  made.rank = rank;
  made.how = how;
  made.number = number;
  made.after = milliseconds(after_ms);
  return made;
}

Outcome after(Stop stop, std::vector<Ending> endings, std::optional<Error> error = std::nullopt) {
  Conclusion conclusion;
  conclusion.stop = stop;
  conclusion.error = std::move(error);
  conclusion.timeout = milliseconds(90'000);
  conclusion.hosts = kHosts;
  conclusion.endings = std::move(endings);
  return decide(conclusion);
}

Outcome first_failure(std::vector<Ending> endings) { return after(Stop::first_failure, std::move(endings)); }

bool says(const Outcome& outcome, const std::string& part) {
  for (const std::string& line : outcome.lines) {
    if (line.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("exit code 0: every rank exited 0, and nothing is said", "[outcome]") {
  const Outcome outcome = after(Stop::none, {ending(1, How::exited), ending(0, How::exited)});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.lines.empty());
}

TEST_CASE("exit code N: the first failing rank's, and the last line names it", "[outcome]") {
  const Outcome outcome = first_failure({ending(3, How::exited), ending(2, How::exited, 7),
                                         ending(0, How::exited, 1, 1300), ending(1, How::stopped)});
  CHECK(outcome.exit_code == 7);
  CHECK(outcome.lines == Words{"launch: rank 0 on n1 exited with code 1 after 1.3 s",
                               "launch: rank 1 was stopped because of rank 2",
                               "launch: rank 2 on n3 exited with code 7 after 1.2 s"});
}

TEST_CASE("exit code 128+S: a signal ended the first failing rank", "[outcome]") {
  const Outcome outcome = first_failure({ending(1, How::signalled, SIGSEGV, 340), ending(0, How::stopped)});
  CHECK(outcome.exit_code == 128 + SIGSEGV);
  CHECK(outcome.lines.back() == "launch: rank 1 on n2 was ended by SIGSEGV after 340 ms");
  CHECK(first_failure({ending(0, How::signalled, SIGKILL)}).lines.back() ==
        "launch: rank 0 on n1 was ended by SIGKILL after 1.2 s (if nobody killed it, the machine was out of "
        "memory)");
}

TEST_CASE("exit code 127: the PATH that was searched, and what to do", "[outcome]") {
  Ending missing = ending(0, How::exited, 127);
  missing.path = "/usr/bin:/bin";
  const Outcome outcome = first_failure({missing});
  CHECK(outcome.exit_code == 127);
  CHECK(says(outcome, "the PATH that was searched: /usr/bin:/bin"));
  CHECK(says(outcome, "/opt/homebrew/bin"));
  CHECK(outcome.lines.back() == "launch: rank 0 on n1 exited with code 127 after 1.2 s");
}

TEST_CASE("exit code 126: the program cannot be started, and what to do", "[outcome]") {
  const Outcome outcome = first_failure({ending(0, How::exited, 126)});
  CHECK(outcome.exit_code == 126);
  CHECK(says(outcome, "chmod +x"));
}

TEST_CASE("exit code 64: a usage error", "[outcome]") {
  const Outcome outcome = decide(Error{ErrorCode::usage, "--hosts", "it is empty", "name one"});
  CHECK(outcome.exit_code == 64);
  CHECK(outcome.lines == Words{"launch: --hosts: it is empty", "launch: name one"});
}

TEST_CASE("exit code 65: a bad host file", "[outcome]") {
  CHECK(decide(Error{ErrorCode::bad_input, "h.json:1:2", "no", ""}).exit_code == 65);
  CHECK(decide(Error{ErrorCode::not_found, "h.json", "no such file", ""}).exit_code == 65);
}

TEST_CASE("exit code 69: a host that cannot be reached, or authenticated, in time", "[outcome]") {
  for (const ErrorCode code : {ErrorCode::unreachable, ErrorCode::unauthenticated, ErrorCode::timed_out}) {
    const Outcome outcome = after(Stop::failed, {ending(0, How::stopped), ending(1, How::not_started)},
                                  Error{code, "n2", "connection refused", "is sshd running there?"});
    CHECK(outcome.exit_code == 69);
    CHECK(outcome.lines == Words{"launch: rank 1 was not started because of the error",
                                 "launch: rank 0 was stopped because of the error",
                                 "launch: is sshd running there?", "launch: n2: connection refused"});
  }
}

TEST_CASE("exit code 69: a host that was lost", "[outcome]") {
  Ending lost = ending(3, How::lost, 0, 60'000);
  lost.detail = "no word from n4 for 30 s";
  const Outcome outcome = first_failure({lost, ending(0, How::stopped)});
  CHECK(outcome.exit_code == 69);
  CHECK(outcome.lines.back() == "launch: rank 3 on n4 was lost after 1 min 0 s: no word from n4 for 30 s");
}

TEST_CASE("exit code 70: an error of launch itself", "[outcome]") {
  CHECK(after(Stop::failed, {}, Error{ErrorCode::internal, "", "impossible", ""}).exit_code == 70);
  CHECK(after(Stop::failed, {}).exit_code == 70);
  CHECK(after(Stop::none, {ending(0, How::stopped)}).exit_code == 70);
}

TEST_CASE("exit code 74: output cannot be written", "[outcome]") {
  const Outcome outcome = after(Stop::failed, {ending(0, How::stopped)},
                                Error{ErrorCode::io, "standard output", "Broken pipe", ""});
  CHECK(outcome.exit_code == 74);
  CHECK(outcome.lines.back() == "launch: standard output: Broken pipe");
}

TEST_CASE("exit code 124: --timeout", "[outcome]") {
  const Outcome outcome = after(Stop::timed_out, {ending(0, How::stopped), ending(1, How::stopped)});
  CHECK(outcome.exit_code == 124);
  CHECK(outcome.lines == Words{"launch: ranks 0 and 1 were stopped because of the timeout",
                               "launch: the job was stopped: it ran into --timeout, 1 min 30 s"});
}

TEST_CASE("exit code 130: interrupted", "[outcome]") {
  const Outcome outcome =
      after(Stop::interrupted, {ending(0, How::signalled, SIGINT), ending(1, How::stopped)});
  CHECK(outcome.exit_code == 130);
  CHECK(outcome.lines.back() == "launch: interrupted");
}

TEST_CASE("ranks that take a Ctrl-C for their own and exit 0 are a success", "[outcome]") {
  CHECK(after(Stop::interrupted, {ending(0, How::exited)}).exit_code == 0);
}

TEST_CASE("a rank that failed before the interrupt gives its own code", "[outcome]") {
  CHECK(first_failure({ending(0, How::exited, 9), ending(1, How::stopped)}).exit_code == 9);
}

TEST_CASE("a rank that fails when nothing was stopped any more still counts", "[outcome]") {
  CHECK(after(Stop::none, {ending(0, How::exited), ending(1, How::exited, 3)}).exit_code == 3);
}

TEST_CASE("a program that a signal ended says so itself, or through its shell", "[outcome]") {
  CHECK(ended_by({true, SIGINT}, SIGINT));
  CHECK(ended_by({false, 128 + SIGINT}, SIGINT));
  CHECK(!ended_by({true, SIGTERM}, SIGINT));
  CHECK(!ended_by({false, SIGINT}, SIGINT));
  CHECK(!ended_by({}, SIGINT));
}

TEST_CASE("a code above 128 is explained", "[outcome]") {
  CHECK(first_failure({ending(0, How::exited, 128 + SIGKILL)}).lines.back() ==
        "launch: rank 0 on n1 exited with code 137 (SIGKILL, as a shell says it) after 1.2 s");
  CHECK(first_failure({ending(0, How::exited, 255)}).lines.back() ==
        "launch: rank 0 on n1 exited with code 255 after 1.2 s");
}

TEST_CASE("the first failure's last lines are repeated, as a terminal shows them", "[outcome]") {
  Ending failed = ending(2, How::exited, 1);
  failed.stderr_tail = "\n10%\r50%\r100%\r\nTraceback:\n  ValueError: \xff\n";
  const Outcome outcome = first_failure({failed});
  CHECK(outcome.lines == Words{"launch: the last lines of rank 2 on n3 on stderr:", "  100%",
                               "  Traceback:", "    ValueError: \xff",
                               "launch: rank 2 on n3 exited with code 1 after 1.2 s"});
  failed.stderr_tail = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12";
  CHECK(first_failure({failed}).lines.size() == 12);
  CHECK(first_failure({failed}).lines[1] == "  3");
}

TEST_CASE("survivors that fail alike share a line", "[outcome]") {
  const Outcome outcome = first_failure({ending(2, How::signalled, SIGSEGV), ending(3, How::exited, 1, 1300),
                                         ending(0, How::exited, 1, 1400), ending(1, How::exited, 2, 1500)});
  CHECK(outcome.lines == Words{"launch: ranks 0 and 3 exited with code 1 after 1.3 s, the first of them",
                               "launch: rank 1 on n2 exited with code 2 after 1.5 s",
                               "launch: rank 2 on n3 was ended by SIGSEGV after 1.2 s"});
}

// Whatever arrives in whatever order: the first failure alone decides, and the last line names it.
TEST_CASE("only the first failure decides the exit code and the last line", "[outcome]") {
  std::mt19937 random(5);
  for (int round = 0; round < 3000; ++round) {
    std::vector<Ending> endings;
    std::vector<int> ranks{0, 1, 2, 3};
    std::shuffle(ranks.begin(), ranks.end(), random);
    for (const int rank : ranks) {
      endings.push_back(ending(rank, static_cast<How>(random() % 7), static_cast<int>(random() % 3)));
    }
    const int first = ranks[0];
    endings[0] = ending(first, How::exited, 42);
    const Outcome outcome = first_failure(endings);
    REQUIRE(outcome.exit_code == 42);
    const auto index = static_cast<std::size_t>(first);
    REQUIRE(outcome.lines.back() == "launch: rank " + std::to_string(first) + " on " + kHosts[index] +
                                        " exited with code 42 after 1.2 s");
    for (const std::string& line : outcome.lines) REQUIRE(line.find('\n') == std::string::npos);
  }
}

TEST_CASE("many ranks are named by ranges", "[outcome]") {
  Conclusion conclusion;
  conclusion.stop = Stop::first_failure;
  conclusion.hosts = Words(12, "n1");
  conclusion.endings.push_back(ending(4, How::exited, 1));
  for (const int rank : {11, 0, 1, 2, 3, 6, 8, 9}) {
    conclusion.endings.push_back(ending(rank, How::stopped));
  }
  for (const int rank : {5, 7, 10}) conclusion.endings.push_back(ending(rank, How::abandoned));
  const Outcome outcome = decide(conclusion);
  CHECK(outcome.lines[0] == "launch: ranks 0-3, 6, 8, 9 and 11 were stopped because of rank 4");
  CHECK(outcome.lines[1] ==
        "launch: ranks 5, 7 and 10 were told to stop and not seen to end, so look for it with ps because of "
        "rank 4");
}

TEST_CASE("under mpirun it is mpirun that ended", "[outcome]") {
  Conclusion conclusion;
  conclusion.stop = Stop::first_failure;
  conclusion.hosts = {"127.0.0.1"};
  conclusion.through_mpirun = true;
  conclusion.endings = {ending(0, How::exited, 7)};
  CHECK(decide(conclusion).exit_code == 7);
  CHECK(decide(conclusion).lines == Words{"launch: mpirun exited with code 7 after 1.2 s"});
}

TEST_CASE("times are said as people say them", "[outcome]") {
  CHECK(duration_text(milliseconds(0)) == "0 ms");
  CHECK(duration_text(milliseconds(59'999)) == "59.9 s");
  CHECK(duration_text(milliseconds(125'000)) == "2 min 5 s");
  CHECK(duration_text(milliseconds(10'920'000)) == "3 h 2 min");
}

TEST_CASE("signals have their names", "[outcome]") {
  CHECK(signal_name(SIGTERM) == "SIGTERM");
  CHECK(signal_name(99) == "signal 99");
}

}  // namespace jackal::launch
