// How ranks meet: in any order, undisturbed by strangers, and never for longer than they may.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "collectives/ranks.hpp"
#include "control/frame.hpp"
#include "control/messages.hpp"
#include "jackal/base/unique_fd.hpp"
#include "support/catch.hpp"

using jackal::Code;
using jackal::Group;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

jackal::UniqueFd connect_to(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    jackal::UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
    std::this_thread::yield();
  }
  throw std::runtime_error("nobody listens");
}

// Sends `bytes` to the coordinator and waits until it has dropped the connection.
void be_dropped(int port, const std::string& bytes) {
  const jackal::UniqueFd fd = connect_to(port);
  ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  char byte = 0;
  while (::recv(fd.get(), &byte, 1, 0) > 0) continue;
}

jackal::Error error_of(const ranks::Variables& variables) {
  try {
    jackal::init(ranks::options(variables));
  } catch (const jackal::Error& error) {
    return error;
  }
  return jackal::Error(Code::internal, "no error");
}

int open_fds() {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd)
    if (::fcntl(fd, F_GETFD) != -1) ++count;
  return count;
}

}  // namespace

TEST_CASE("ranks that start before rank 0 wait for it") {
  const ranks::Job job(3);
  std::atomic<int> met = 0;
  std::vector<std::thread> threads;
  std::atomic<int> started = 0;
  for (const int rank : {2, 1})
    threads.emplace_back([&, rank] {
      ++started;
      met += jackal::init(job.options(rank)).size();
    });
  while (started < 2) std::this_thread::yield();
  met += jackal::init(job.options(0)).size();
  for (std::thread& thread : threads) thread.join();
  CHECK(met == 9);
}

TEST_CASE("IPv6 and the job's secret work, and one process may be in several groups, one after the other") {
  const ranks::Directory directory;
  const std::string secret = directory.write("secret", std::string(32, 's'));
  const ranks::Job job(3, {{"JACKAL_COORDINATOR", "[::1]:" + std::to_string(ranks::free_port())},
                           {"JACKAL_SECRET_FILE", secret},
                           {"JACKAL_JOB", "six"}});
  for (int round = 0; round < 3; ++round)
    ranks::run(job, [](Group& group) {
      Group moved = std::move(group);
      moved.barrier();
    });
  SUCCEED();
}

TEST_CASE("strangers do not disturb the meeting") {
  const int port = ranks::free_port();
  const std::string at = "127.0.0.1:" + std::to_string(port);
  const ranks::Job job(2, {{"JACKAL_COORDINATOR", at}, {"JACKAL_JOB", "ours"}});
  std::atomic<int> size = 0;
  std::thread first([&] { size = jackal::init(job.options(0)).size(); });
  using namespace jackal::collectives;
  Hello hello{
      Purpose::control, 0, "theirs", 1, 2, std::string(16, 'n'), "x", {std::string("\x7f\0\0\1", 4), 9}};
  const jackal::UniqueFd silent = connect_to(port);
  be_dropped(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  be_dropped(port, std::string(100000, '\xff'));
  be_dropped(port, encode_frame(FrameType::hello, hello.encode(), ""));
  be_dropped(port, encode_frame(FrameType::hello, hello.encode(), "wrong secret"));
  be_dropped(port, encode_frame(FrameType::go, "", ""));
  hello.job = "ours";
  hello.size = 3;
  be_dropped(port, encode_frame(FrameType::hello, hello.encode(), ""));
  CHECK(jackal::init(job.options(1)).rank() == 1);
  first.join();
  CHECK(size == 2);
}

TEST_CASE("a rank that nobody meets gives up in time and says whom it missed") {
  const ranks::Directory directory;
  const std::string hosts = directory.write("hosts", R"({"hosts": [{"ssh": "a"}, {"ssh": "b"}]})");
  const ranks::Job job(2, {{"JACKAL_TIMEOUT", "1"}, {"JACKAL_HOSTFILE", hosts}});
  const jackal::Error waited = error_of(job.variables(0));
  CHECK(waited.code() == Code::timeout);
  CHECK(waited.rank() == 1);
  CHECK(waited.host == "b");
  CHECK(contains(waited.what(), "only 1 of 2 ranks came"));
  CHECK(contains(waited.what(), "missing: rank 1 (b)"));
  const jackal::Error tried = error_of(job.variables(1));
  CHECK(tried.code() == Code::timeout);
  CHECK(tried.rank() == 0);
  CHECK(contains(tried.what(), "rank 1 (b) did not reach rank 0 at 127.0.0.1:"));
  CHECK(contains(tried.what(), "Connection refused"));
}

TEST_CASE("a secret that differs keeps the ranks apart, and both say so") {
  const ranks::Directory directory;
  const ranks::Job job(2);
  ranks::Variables first = job.variables(0);
  ranks::Variables second = job.variables(1);
  first["JACKAL_SECRET_FILE"] = directory.write("one", std::string(32, '1'));
  second["JACKAL_SECRET_FILE"] = directory.write("two", std::string(32, '2'));
  first["JACKAL_TIMEOUT"] = "3";
  second["JACKAL_TIMEOUT"] = "1";
  std::string waited;
  std::thread other([&] { waited = error_of(first).what(); });
  CHECK(contains(error_of(second).what(), "is it of another job?"));
  other.join();
  CHECK(contains(waited, "only 1 of 2 ranks came"));
}

TEST_CASE("a rank number that two processes claim is refused to the second") {
  const ranks::Job job(3, {{"JACKAL_TIMEOUT", "2"}});
  std::atomic<int> refused = 0;
  const auto claim = [&] {
    if (contains(error_of(job.variables(1)).what(), "refused this rank: a rank 1 has already come"))
      ++refused;
  };
  std::thread second(claim);
  std::thread third(claim);
  const jackal::Error error = error_of(job.variables(0));
  second.join();
  third.join();
  CHECK(refused == 1);
  CHECK(error.code() == Code::timeout);
  CHECK(contains(error.what(), "was refused: a rank 1 has already come"));
}

TEST_CASE("a coordinator's port that is taken is an io error, and launch finds a mark beside the host file") {
  const ranks::Directory directory;
  const std::string hosts = directory.write("hosts", R"({"hosts": [{"ssh": "a"}, {"ssh": "b"}]})");
  const jackal::UniqueFd taken(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(taken.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(taken.get(), 1) == 0);
  REQUIRE(::getsockname(taken.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const ranks::Job job(2, {{"JACKAL_COORDINATOR", "127.0.0.1:" + std::to_string(ntohs(address.sin_port))},
                           {"JACKAL_HOSTFILE", hosts}});
  const jackal::Error error = error_of(job.variables(0));
  CHECK(error.code() == Code::io);
  CHECK(contains(error.what(), "Address already in use"));
  CHECK(std::filesystem::is_empty(directory / "coordinator-busy"));
}

TEST_CASE("a coordinator's address of another host is an io error") {
  const ranks::Job job(2, {{"JACKAL_COORDINATOR", "192.0.2.1:5000"}});
  const jackal::Error error = error_of(job.variables(0));
  CHECK(error.code() == Code::io);
  CHECK(contains(error.what(), "it must be an address of the host that rank 0 runs on"));
}

TEST_CASE("a rank that dies during init ends it for all, by name") {
  const ranks::Job job(3);
  const auto reports = ranks::fork_and_run(3, [&](int rank) -> std::string {
    if (rank == 2) {
      // Rank 2 comes, and is gone once all have come.
      using namespace jackal::collectives;
      const std::string at = job.variables(2).at("JACKAL_COORDINATOR");
      const jackal::UniqueFd fd = connect_to(std::stoi(at.substr(at.find(':') + 1)));
      const Hello hello{
          Purpose::control, 0, "", 2, 3, std::string(16, 'n'), "c", {std::string("\x7f\0\0\1", 4), 9}};
      const std::string frame = encode_frame(FrameType::hello, hello.encode(), "");
      ::send(fd.get(), frame.data(), frame.size(), MSG_NOSIGNAL);
      FrameReader reader("", kRankLimit);
      char byte = 0;
      while (::recv(fd.get(), &byte, 1, 0) == 1) {
        reader.feed({&byte, 1});
        const auto got = reader.next();
        if (got && got->type == FrameType::table) ::raise(SIGKILL);
      }
    }
    return error_of(job.variables(rank)).what();
  });
  CHECK(contains(reports[0], "rank 2 (c) was lost during init"));
  CHECK(contains(reports[1], "rank 2"));
  CHECK(reports[2] == "signal 9");
}

TEST_CASE("groups leave no descriptor open, whether they met or not") {
  ranks::run(ranks::Job(3), [](Group&) {});
  const int before = open_fds();
  ranks::run(ranks::Job(3), [](Group& group) { group.barrier(); });
  error_of(ranks::Job(2, {{"JACKAL_TIMEOUT", "1"}}).variables(0));
  error_of(ranks::Job(2, {{"JACKAL_TIMEOUT", "1"}}).variables(1));
  CHECK(open_fds() == before);
}

TEST_CASE("a group of one needs nobody") {
  Group group = jackal::init(ranks::options({}));
  CHECK(group.rank() == 0);
  CHECK(group.size() == 1);
  const std::vector<float> in = {1, 2};
  std::vector<float> out(2);
  group.all_sum(in, out);
  CHECK(out == in);
  group.all_gather(in, out);
  CHECK(out == in);
  group.barrier();
}
