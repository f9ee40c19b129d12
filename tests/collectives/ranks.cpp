#include "collectives/ranks.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>

#include "jackal/base/unique_fd.hpp"

namespace ranks {

using Clock = std::chrono::steady_clock;

jackal::InitOptions options(Variables variables) {
  jackal::InitOptions made;
  made.variable = [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  return made;
}

// Below the ports that the system gives to whoever names none: a job may come to listen seconds later, and
// meanwhile no connection of another test takes it.
int free_port() {
  static std::mt19937 random(std::random_device{}());
  std::uniform_int_distribution<std::uint16_t> any(20000, 32000);
  for (int tries = 0; tries < 1000; ++tries) {
    const jackal::UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(any(random));
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
      return ntohs(address.sin_port);
  }
  throw std::runtime_error("no free port");
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
  as_threads(job.size(), [&](int rank) {
    try {
      jackal::Group group = jackal::init(job.options(rank));
      body(group);
    } catch (...) {
      thrown[static_cast<std::size_t>(rank)] = std::current_exception();
    }
  });
}

struct Child {
  pid_t pid = -1;
  jackal::UniqueFd report;
};

Child forked(int rank, const std::function<void(int rank, int report)>& body) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("no fork");
  if (pid == 0) {
    ::close(ends[0]);
    body(rank, ends[1]);
    ::_exit(0);
  }
  ::close(ends[1]);
  return {pid, jackal::UniqueFd(ends[0])};
}

// Reads from all of them at once, so that none waits for another's report to be read.
void listen_to(std::vector<Child>& children, std::vector<Report>& reports, Clock::time_point deadline) {
  char chunk[65536];
  for (;;) {
    std::vector<pollfd> entries;
    for (const Child& child : children) entries.push_back({child.report.get(), POLLIN, 0});
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    const bool all_closed =
        std::all_of(entries.begin(), entries.end(), [](const pollfd& entry) { return entry.fd < 0; });
    if (all_closed || left.count() <= 0) return;
    if (::poll(entries.data(), static_cast<nfds_t>(entries.size()), static_cast<int>(left.count())) <= 0)
      continue;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].fd < 0 || entries[i].revents == 0) continue;
      const ssize_t got = ::read(entries[i].fd, chunk, sizeof chunk);
      if (got > 0) reports[i].text.append(chunk, static_cast<std::size_t>(got));
      if (got == 0) children[i].report = jackal::UniqueFd();
    }
  }
}

void tell(int report, const std::function<std::string(int rank)>& body, int rank) {
  std::string text;
  try {
    text = body(rank);
  } catch (const std::exception& error) {
    text = std::string("threw ") + error.what();
  }
  const ssize_t written = ::write(report, text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) ::_exit(1);
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

void as_threads(int size, const std::function<void(int rank)>& body) {
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) threads.emplace_back(body, rank);
  for (std::thread& thread : threads) thread.join();
}

std::vector<Report> as_processes(int size, const std::function<void(int rank, int report)>& body,
                                 std::chrono::seconds limit) {
  std::vector<Child> children;
  for (int rank = 0; rank < size; ++rank) children.push_back(forked(rank, body));
  std::vector<Report> reports(children.size());
  listen_to(children, reports, Clock::now() + limit);
  for (std::size_t i = 0; i < children.size(); ++i) {
    reports[i].late = children[i].report.get() >= 0;
    if (reports[i].late) ::kill(children[i].pid, SIGKILL);
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    int status = 0;
    ::waitpid(children[i].pid, &status, 0);
    if (WIFSIGNALED(status)) reports[i].signal = WTERMSIG(status);
  }
  return reports;
}

std::vector<std::string> fork_and_run(int size, const std::function<std::string(int rank)>& body,
                                      std::chrono::seconds limit) {
  const auto reports = as_processes(
      size, [&](int rank, int report) { tell(report, body, rank); }, limit);
  std::vector<std::string> texts;
  for (const Report& report : reports)
    texts.push_back(report.late          ? report.text + "too late"
                    : report.signal != 0 ? "signal " + std::to_string(report.signal)
                                         : report.text);
  return texts;
}

std::shared_ptr<void> shared_memory(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
  return {memory, [bytes](void* mapped) { ::munmap(mapped, bytes); }};
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
