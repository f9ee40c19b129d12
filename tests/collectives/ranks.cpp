#include "collectives/ranks.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "jackal/base/unique_fd.hpp"

namespace ranks {

jackal::InitOptions options(Variables variables) {
  jackal::InitOptions made;
  made.variable = [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  return made;
}

int free_port() {
  const jackal::UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

Job::Job(int size, Variables more) : size_(size), common_(std::move(more)) {
  common_.emplace("JACKAL_SIZE", std::to_string(size));
  common_.emplace("JACKAL_COORDINATOR", "127.0.0.1:" + std::to_string(free_port()));
  common_.emplace("JACKAL_TIMEOUT", "50");
}

Variables Job::variables(int rank) const {
  Variables all = common_;
  all.emplace("JACKAL_RANK", std::to_string(rank));
  return all;
}

namespace {

void run_threads(const Job& job, const std::function<void(jackal::Group&)>& body,
                 std::vector<std::exception_ptr>& thrown) {
  thrown.resize(static_cast<std::size_t>(job.size()));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < job.size(); ++rank)
    threads.emplace_back([&, rank] {
      try {
        jackal::Group group = jackal::init(job.options(rank));
        body(group);
      } catch (...) {
        thrown[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
}

std::string read_all(int fd, std::chrono::steady_clock::time_point deadline) {
  std::string text;
  char chunk[4096];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd entry = {fd, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&entry, 1, static_cast<int>(left.count())) <= 0) return text + "too late";
    const ssize_t got = ::read(fd, chunk, sizeof chunk);
    if (got <= 0) return text;
    text.append(chunk, static_cast<std::size_t>(got));
  }
}

[[noreturn]] void be_child(int rank, int report, const std::function<std::string(int rank)>& body) {
  std::string text;
  try {
    text = body(rank);
  } catch (const std::exception& error) {
    text = std::string("threw ") + error.what();
  }
  const ssize_t written = ::write(report, text.data(), text.size());
  ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
}

}  // namespace

void run(const Job& job, const std::function<void(jackal::Group&)>& body) {
  std::vector<std::exception_ptr> thrown;
  run_threads(job, body, thrown);
  for (const std::exception_ptr& one : thrown)
    if (one) std::rethrow_exception(one);
}

std::vector<std::optional<jackal::Error>> errors(const Job& job,
                                                 const std::function<void(jackal::Group&)>& body) {
  std::vector<std::exception_ptr> thrown;
  run_threads(job, body, thrown);
  std::vector<std::optional<jackal::Error>> found;
  for (const std::exception_ptr& one : thrown) {
    found.emplace_back();
    try {
      if (one) std::rethrow_exception(one);
    } catch (const jackal::Error& error) {
      found.back() = error;
    }
  }
  return found;
}

std::vector<std::string> fork_and_run(int size, const std::function<std::string(int rank)>& body) {
  struct Child {
    pid_t pid;
    jackal::UniqueFd report;
  };
  std::vector<Child> children;
  for (int rank = 0; rank < size; ++rank) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("no fork");
    if (pid == 0) be_child(rank, ends[1], body);
    ::close(ends[1]);
    children.push_back({pid, jackal::UniqueFd(ends[0])});
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  std::vector<std::string> reports;
  for (const Child& child : children) reports.push_back(read_all(child.report.get(), deadline));
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (std::chrono::steady_clock::now() >= deadline) ::kill(children[i].pid, SIGKILL);
    int status = 0;
    ::waitpid(children[i].pid, &status, 0);
    if (WIFSIGNALED(status)) reports[i] = "signal " + std::to_string(WTERMSIG(status));
  }
  return reports;
}

Directory::Directory() {
  path_ = (std::filesystem::temp_directory_path() / "jackal-test-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no directory");
}

Directory::~Directory() { std::filesystem::remove_all(path_); }

std::string Directory::write(const std::string& name, const std::string& bytes) const {
  std::ofstream file(path_ + "/" + name, std::ios::binary);
  file << bytes;
  return path_ + "/" + name;
}

}  // namespace ranks
