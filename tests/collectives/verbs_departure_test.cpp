// SIGTERM while RDMA objects exist: they are destroyed, then it ends the process; a program's own handler
// stays.
#include "transports/verbs/departure.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "support/catch.hpp"
#include "verbs_job.hpp"

namespace {

using namespace verbs_desk;
using jackal::Group;
using jackal::collectives::Departure;
using Handler = void (*)(int);

Handler handler() {
  struct sigaction action {};
  ::sigaction(SIGTERM, nullptr, &action);
  return action.sa_handler;
}

// The test framework has a handler of its own.
class DefaultAction {
public:
  DefaultAction() : before_(std::signal(SIGTERM, SIG_DFL)) {}
  ~DefaultAction() { std::signal(SIGTERM, before_); }
  DefaultAction(const DefaultAction&) = delete;
  DefaultAction& operator=(const DefaultAction&) = delete;

private:
  Handler before_;
};

volatile std::sig_atomic_t seen = 0;
void see(int) { seen = 1; }

// How a child that does this ends: its signal, or 1000 + its exit code.
int end_of(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGTERM, SIG_DFL);
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 1000 + WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("a rank that SIGTERM ends destroys what it has first") {
  const DefaultAction action;
  const Desk desk = mesh(3, 1);
  const ranks::Job job = job_on(desk);
  const auto reports = ranks::as_processes(
      3,
      [&](int rank, int report) {
        try {
          Group group = jackal::init(job.options(rank));
          use(group, 1000);
          // In the middle of a call, or between two.
          std::thread([=] {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            if (rank == 1) ::kill(::getpid(), SIGTERM);
          }).detach();
          for (;;) use(group, 100'000);
        } catch (const jackal::Error& error) {
          const std::string text =
              std::string(jackal::code_name(error.code())) + std::to_string(error.rank());
          if (::write(report, text.data(), text.size()) < 0) ::_exit(1);
        }
      },
      std::chrono::minutes(2));
  CHECK(reports[1].signal == SIGTERM);
  CHECK(reports[0].text == "peer_lost1");
  CHECK(reports[2].text == "peer_lost1");
  expect_no_objects(desk);
}

TEST_CASE("a rank that SIGTERM ends while it waits for a device has destroyed it") {
  const DefaultAction action;
  const Desk desk = mesh(2, 1);
  for (const int number : desk.numbers) world().devices[number].gid_ms = -1;
  const ranks::Job job = job_on(desk);
  const auto reports = ranks::as_processes(
      2,
      [&](int rank, int) {
        std::thread([] {
          std::this_thread::sleep_for(std::chrono::milliseconds(300));
          ::kill(::getpid(), SIGTERM);
        }).detach();
        Group group = jackal::init(job.options(rank));
      },
      std::chrono::minutes(2));
  for (const ranks::Report& report : reports) CHECK(report.signal == SIGTERM);
  expect_no_objects(desk);
}

TEST_CASE("SIGTERM is as it was when the last group is gone") {
  const DefaultAction action;
  std::atomic<int> taken_over = 0;
  ranks::run(job_on(mesh(2, 1)), [&](Group& group) {
    group.barrier();
    if (handler() != SIG_DFL) ++taken_over;
    group.barrier();
  });
  CHECK(taken_over == 2);
  CHECK(handler() == SIG_DFL);
}

TEST_CASE("a program's own handler for SIGTERM stays, whether it came before or after") {
  const int end = end_of([] {
    ::signal(SIGTERM, see);
    {
      const Departure before;
      ::raise(SIGTERM);
      if (seen != 1 || handler() != see || Departure::due()) ::_exit(1);
      seen = 0;
    }
    ::signal(SIGTERM, SIG_DFL);
    {
      const Departure after;
      ::signal(SIGTERM, see);
      ::raise(SIGTERM);
      if (seen != 1 || Departure::due()) ::_exit(2);
    }
    if (handler() != see) ::_exit(3);
    ::signal(SIGTERM, SIG_IGN);
    const Departure ignored;
    ::raise(SIGTERM);
  });
  CHECK(end == 1000);
}

TEST_CASE("SIGTERM waits for the last one that has anything to destroy") {
  CHECK(end_of([] {
          auto first = std::make_unique<Departure>();
          auto second = std::make_unique<Departure>();
          ::raise(SIGTERM);
          if (!Departure::due()) ::_exit(1);
          first.reset();
          if (handler() == SIG_DFL) ::_exit(2);
          second.reset();
        }) == SIGTERM);
}

TEST_CASE("a child of a process with a group ends at SIGTERM, alone") {
  CHECK(end_of([] {
          const Departure departure;
          if (end_of([] { ::raise(SIGTERM); }) != SIGTERM) ::_exit(1);
          if (end_of([] {
                const Departure own;
                ::raise(SIGTERM);
                if (!Departure::due()) ::_exit(2);
              }) != SIGTERM)
            ::_exit(3);
          if (Departure::due()) ::_exit(4);
        }) == 1000);
}
