#include "child_watch.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "support/catch.hpp"

using namespace jackal::remote;

namespace {

/// A child that has ended and was not reaped.
pid_t ended_child(int code) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(code);
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
  return child;
}

}  // namespace

TEST_CASE("of two ends at the same time, the second is not told to who was dropped by the first") {
  Loop loop;
  int told = 0;
  ChildWatch watches[2];
  const pid_t children[] = {ended_child(0), ended_child(0)};
  for (const int i : {0, 1}) {
    watches[i] = watch_child(loop, children[i], [&, i](ExitStatus) {
      ++told;
      watches[1 - i].reset();
      loop.stop();
    });
  }
  loop.run();
  CHECK(told == 1);
  for (const pid_t child : children) CHECK(::waitpid(child, nullptr, WNOHANG) < 0);  // both are reaped
}

TEST_CASE("a child of somebody else that has ended is neither reaped nor in the way") {
  const pid_t theirs = ended_child(5);
  Loop loop;
  std::vector<int> codes;
  std::vector<ChildWatch> watches;
  for (const int code : {1, 2, 3}) {
    watches.push_back(watch_child(loop, ended_child(code), [&](ExitStatus status) {
      codes.push_back(status.number);
      if (codes.size() == 3) loop.stop();
    }));
  }
  loop.run();
  std::sort(codes.begin(), codes.end());
  CHECK(codes == std::vector{1, 2, 3});
  int status = 0;
  REQUIRE(::waitpid(theirs, &status, WNOHANG) == theirs);
  CHECK(WEXITSTATUS(status) == 5);
}
