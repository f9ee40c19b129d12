// What the others see when a rank is killed or stopped in the middle of an operation, over every transport:
// an error that names it, in time, and nothing left behind.
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <set>

#include "collectives/matrix/jobs.hpp"
#include "collectives/matrix/mix.hpp"
#include "support/catch.hpp"

using jackal::Group;
using matrix::Case;
using matrix::Dtype;
using matrix::Layout;
using matrix::Operation;
using matrix::Play;

namespace {

constexpr int kRanks = 4;
constexpr int kVictim = 1;
// Whoever is not done by then hangs.
constexpr std::chrono::seconds kLimit{120};

std::string told(const jackal::Error& error) {
  return std::string(jackal::code_name(error.code())) + " " + std::to_string(error.rank()) + " " + error.host;
}

// Until something fails: what did.
std::string until_it_fails(Group& group, const Case& one) {
  try {
    for (;;) {
      Play play(group, one, "");
      play.start();
      play.wait();
    }
  } catch (const jackal::Error& error) {
    return told(error);
  }
}

void kill_oneself_after(std::chrono::microseconds time) {
  itimerval timer{};
  timer.it_value.tv_sec = time.count() / 1000000;
  timer.it_value.tv_usec = static_cast<suseconds_t>(time.count() % 1000000);
  ::signal(SIGALRM, [](int) { ::kill(::getpid(), SIGKILL); });
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}

Case large(Operation operation) {
  Case one;
  one.operation = operation;
  one.pattern = {1, Dtype::float32, matrix::Op::sum, matrix::Values::any};
  one.count = 500000;
  one.root = 2;
  return one;
}

// What is in /dev/shm that one could take for ours.
std::set<std::string> shared_memory_names() {
  std::set<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm", none)) {
    const std::string name = entry.path().filename().string();
    if (name.find("jackal") != std::string::npos) names.insert(name);
  }
  return names;
}

// Names that other programs of the same library have for a moment are gone sooner than this.
bool nothing_new_since(const std::set<std::string>& before) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    const auto now = shared_memory_names();
    if (std::includes(before.begin(), before.end(), now.begin(), now.end())) return true;
    if (std::chrono::steady_clock::now() > deadline) return false;
    ::usleep(20000);
  }
}

std::string host_of_victim(Layout layout) {
  return matrix::cabled(layout) ? "h1" : layout == Layout::alternating ? "b" : "a";
}

}  // namespace

TEST_CASE("a rank killed in the middle of any operation is named by all others") {
  const Layout layout = GENERATE(Layout::shm, Layout::tcp, Layout::two_hosts);
  const auto before = shared_memory_names();
  for (int kind = 0; kind < matrix::kOperations; ++kind) {
    const auto operation = static_cast<Operation>(kind);
    INFO(matrix::name_of(layout) << ", " << matrix::name_of(operation));
    const ranks::Directory directory;
    const ranks::Job job = matrix::job(layout, kRanks, directory);
    const auto said = ranks::fork_and_run(
        kRanks,
        [&](int rank) {
          Group group = jackal::init(job.options(rank));
          group.barrier();
          if (rank == kVictim) kill_oneself_after(std::chrono::microseconds(20000 + 3517 * kind));
          return until_it_fails(group, large(operation));
        },
        kLimit);
    const std::string lost = "peer_lost 1 " + host_of_victim(layout);
    CHECK(said == std::vector<std::string>{lost, "signal 9", lost, lost});
  }
  CHECK(nothing_new_since(before));
}

TEST_CASE("whenever a rank is killed while ranks meet, nothing is left and nobody hangs") {
  const Layout layout = GENERATE(Layout::shm, Layout::two_hosts);
  const auto before = shared_memory_names();
  for (int round = 0; round < 12; ++round) {
    INFO(matrix::name_of(layout) << ", round " << round);
    const ranks::Directory directory;
    const ranks::Job job = matrix::job(layout, 3, directory, {{"JACKAL_TIMEOUT", "2"}});
    const auto said = ranks::fork_and_run(
        3,
        [&](int rank) -> std::string {
          if (rank == kVictim) kill_oneself_after(std::chrono::microseconds(200 + 1500 * round));
          try {
            Group group = jackal::init(job.options(rank));
            return until_it_fails(group, large(Operation::all_reduce));
          } catch (const jackal::Error& error) {
            return told(error);
          }
        },
        kLimit);
    CHECK(said[1] == "signal 9");
    // Before the ranks know each other nobody can say whether it is dead, out of reach or late.
    for (const std::size_t rank : {0U, 2U}) {
      INFO("rank " << rank << ": " << said[rank]);
      CHECK((said[rank].rfind("peer_lost 1", 0) == 0 || said[rank].rfind("link_down 1", 0) == 0 ||
             said[rank].rfind("timeout", 0) == 0));
    }
  }
  CHECK(nothing_new_since(before));
}

TEST_CASE("a stopped rank ends the others' call after its timeout, and does no harm when it goes on") {
  const Layout layout = GENERATE(Layout::shm, Layout::tcp, Layout::two_hosts);
  const Operation operation =
      GENERATE(Operation::all_reduce, Operation::all_to_all, Operation::broadcast, Operation::barrier);
  INFO(matrix::name_of(layout) << ", " << matrix::name_of(operation));
  struct Board {
    std::atomic<int> ready;
    std::atomic<pid_t> stopped;
    std::atomic<bool> goes_on;
    std::atomic<int> timed_out;
  };
  const ranks::Shared<Board> board;
  const ranks::Directory directory;
  const ranks::Directory second;
  const ranks::Job job = matrix::job(layout, kRanks, directory);
  const ranks::Job afterwards = matrix::job(layout, kRanks - 1, second);
  const auto said = ranks::fork_and_run(
      kRanks,
      [&](int rank) -> std::string {
        std::string text;
        {
          Group group = jackal::init(job.options(rank));
          matrix::played(group, large(operation), "");
          // In the middle: the others are in the call that it does not come to.
          if (rank == kVictim) {
            board->stopped = ::getpid();
            ::raise(SIGSTOP);
            board->goes_on = true;
          }
          try {
            Play play(group, large(operation), "");
            if (rank != kVictim) {
              // On a loaded machine one of them may be later than the time limit by itself.
              for (++board->ready; board->ready < kRanks - 1;) ::usleep(1000);
              play.limit(std::chrono::milliseconds(400));
            }
            for (int i = 0; i < 100; ++i) play.start();
            text = "no error";
          } catch (const jackal::Error& error) {
            text = told(error);
          }
          ++board->timed_out;
          if (rank == 0) {
            while (board->timed_out < kRanks - 1) ::usleep(1000);
            // Again, where it comes before the stop.
            for (; !board->goes_on; ::usleep(1000)) ::kill(board->stopped, SIGCONT);
          }
        }
        if (rank == kVictim) return text;
        // The survivors work on, in the memory that the other one may still think is the group's.
        matrix::Diary diary;
        Group group = jackal::init(afterwards.options(rank > kVictim ? rank - 1 : rank));
        matrix::mix(group, {3, 40, 100000, false}, diary);
        const auto problems = matrix::problems({diary.text()}, {""});
        return problems.empty() ? text : problems[0];
      },
      kLimit);
  const std::string timeout = "timeout 1 " + host_of_victim(layout);
  CHECK(said[0] == timeout);
  CHECK(said[2] == timeout);
  CHECK(said[3] == timeout);
  CHECK(said[1] == timeout);
}

TEST_CASE("a rank that is killed while others have calls in flight fails each of them") {
  const Layout layout = GENERATE(Layout::shm, Layout::tcp);
  const ranks::Directory directory;
  const ranks::Job job = matrix::job(layout, 3, directory);
  const auto said = ranks::fork_and_run(
      3,
      [&](int rank) -> std::string {
        Group group = jackal::init(job.options(rank));
        std::vector<std::vector<float>> data(4, std::vector<float>(100000));
        std::vector<jackal::Handle> handles;
        std::string text;
        try {
          group.barrier();
          if (rank == kVictim) ::kill(::getpid(), SIGKILL);
          for (std::size_t i = 0; i < 3; ++i)
            handles.push_back(group.all_reduce_async(data[i].data(), data[i].data(), data[i].size(),
                                                     Dtype::float32, matrix::Op::sum));
          handles.push_back(group.recv_async(data[3].data(), 1, Dtype::float32, kVictim));
        } catch (const jackal::Error& error) {
          text = told(error);
        }
        int failed = 0;
        for (jackal::Handle& handle : handles) try {
            handle.wait();
          } catch (const jackal::Error& error) {
            text = told(error);
            ++failed;
          }
        return failed == static_cast<int>(handles.size()) ? text : "one was done without the dead rank";
      },
      kLimit);
  CHECK(said == std::vector<std::string>{"peer_lost 1 a", "signal 9", "peer_lost 1 a"});
}
