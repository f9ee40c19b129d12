#include "process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/version.hpp>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <sstream>

#include "descriptors.hpp"
#include "jackal/remote/descriptor_limit.hpp"

#ifndef JACKAL_BOOST_PROCESS_V2
#define JACKAL_BOOST_PROCESS_V2 (BOOST_VERSION >= 108600)
#endif

extern char** environ;

#if JACKAL_BOOST_PROCESS_V2
#include <boost/asio/io_context.hpp>
#if __has_include(<boost/process/v2.hpp>)
#include <boost/process/v2.hpp>
#else
#include <boost/process/process.hpp>
#endif
#else
#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/env.hpp>
#include <boost/process/environment.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/start_dir.hpp>
#endif

namespace jackal::remote {
namespace {

constexpr int kDescriptorsOfAChild = 3;  // our ends of its streams

/// Runs in the child between fork and exec: async-signal-safe calls only.
void become(const SpawnRequest& request) {
  ::setsid();
  if (request.controlling_terminal) ::ioctl(request.descriptors[0], TIOCSCTTY, 0);
  std::array<int, 3> sources = request.descriptors;
  for (int& source : sources) {
    // Out of the way of 0..2, so that no dup2 below overwrites a source.
    if (source <= STDERR_FILENO) source = ::fcntl(source, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  }
  for (int target = 0; target < 3; ++target) ::dup2(sources[static_cast<std::size_t>(target)], target);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  restore_descriptor_limit();
  if (request.in_child) request.in_child();
}

constexpr const char* kDefaultPath = "/usr/bin:/bin";

std::string variable(const SpawnRequest& request, const std::string& name, const char* fallback) {
  const char* ours = ::getenv(name.c_str());
  std::string value = ours == nullptr ? fallback : ours;
  for (const auto& [added, text] : request.environment) {
    if (added == name) value = text;
  }
  return value;
}

/// The file that the first word names: itself when it has a slash, else the first in PATH that may be run; ""
/// for none.
std::string find_program(const SpawnRequest& request) {
  const std::string& program = request.argv[0];
  if (program.find('/') != std::string::npos) return program;
  std::istringstream path(variable(request, "PATH", kDefaultPath));
  for (std::string directory; std::getline(path, directory, ':');) {
    std::string candidate = (directory.empty() ? "." : directory) + "/" + program;
    struct stat status {};
    const bool file = ::stat(candidate.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    if (file && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

#if JACKAL_BOOST_PROCESS_V2
namespace bp = boost::process::v2;

struct Become {
  const SpawnRequest& request;
  template <class Launcher>
  boost::system::error_code on_exec_setup(Launcher&, const bp::filesystem::path&, const char* const*&) {
    become(request);
    return {};
  }
};

pid_t launch(const std::string& path, const SpawnRequest& request, std::error_code& error) {
  boost::asio::io_context context;
  const bp::filesystem::path program(path);
  const std::vector<std::string> arguments(request.argv.begin() + 1, request.argv.end());
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto replaced = [&](const auto& added) { return text.starts_with(added.first + "="); };
    if (std::none_of(request.environment.begin(), request.environment.end(), replaced))
      environment.emplace_back(text);
  }
  for (const auto& [name, value] :
       std::map<std::string, std::string>(request.environment.rbegin(), request.environment.rend())) {
    environment.push_back(name + "=" + value);
  }
  const bp::filesystem::path directory(request.directory.empty() ? "." : request.directory);
  boost::system::error_code failed;
  auto launcher = bp::default_process_launcher();
  auto child = launcher(context, failed, program, arguments, bp::process_start_dir(directory),
                        bp::process_environment(environment), Become{request});
  if (failed) {
    error = failed;
    return -1;
  }
  const pid_t id = child.id();
  child.detach();
  return id;
}
#else
namespace bp = boost::process;

pid_t launch(const std::string& program, const SpawnRequest& request, std::error_code& error) {
  const std::vector<std::string> arguments(request.argv.begin() + 1, request.argv.end());
  const std::string directory = request.directory.empty() ? "." : request.directory;
  bp::environment environment = boost::this_process::environment();
  for (const auto& [name, value] : request.environment) environment[name] = value;
  bp::child child(
      bp::exe = program, bp::args = arguments, bp::start_dir = directory, environment, error,
      bp::extend::on_exec_setup = [&](auto&) { become(request); });
  if (error) return -1;
  const pid_t id = child.id();
  child.detach();
  return id;
}
#endif

}  // namespace

Result<pid_t> spawn(const SpawnRequest& request) {
  const std::string program = find_program(request);
  if (program.empty()) return fail({ErrorCode::not_found, "", request.argv[0] + ": not found", ""});
  std::error_code error;
  pid_t id = launch(program, request, error);
  if (error == std::errc::executable_format_error) {
    SpawnRequest script = request;
    script.argv[0] = program;
    script.argv.insert(script.argv.begin(), "/bin/sh");
    error.clear();
    id = launch("/bin/sh", script, error);
  }
  if (!error) return id;
  for (const int number : {EMFILE, ENFILE, EAGAIN, ENOMEM}) {
    if (error == std::error_code(number, std::system_category()))
      return fail(shortage("start " + request.argv[0], number));
  }
  const bool missing = error == std::errc::no_such_file_or_directory;
  return fail({missing ? ErrorCode::not_found : ErrorCode::io, "",
               fmt::format("{}: {}", request.argv[0], error.message()), ""});
}

std::string path_searched_in_vain(const SpawnRequest& request) {
  return find_program(request).empty() ? variable(request, "PATH", kDefaultPath) : "";
}

Error shortage(const std::string& attempt, int number) {
  Error error{ErrorCode::unreachable, "", fmt::format("cannot {}: {}", attempt, errno_text(number)), ""};
  const auto limit_of = [](auto resource) {
    rlimit limit{};
    ::getrlimit(resource, &limit);
    return limit.rlim_cur;
  };
  if (number == EMFILE) {
    error.what += fmt::format("; the limit is {} file descriptors, and each rank here takes {}",
                              limit_of(RLIMIT_NOFILE), kDescriptorsOfAChild);
    error.hint =
        "Raise it (ulimit -Hn shows how far you may; an administrator can go further), or start fewer ranks "
        "here.";
  } else if (number == EAGAIN) {
    error.what += fmt::format("; the limit is {} processes for each user", limit_of(RLIMIT_NPROC));
    error.hint = "Raise it (ulimit -u), or start fewer ranks here.";
  } else {
    error.hint = "Start fewer ranks here, or end what takes this machine's memory and files.";
  }
  return error;
}

Result<Pipe> make_pipe() {
  DescriptorPair ends = open_pipe();
  if (!ends) return fail(shortage("make a pipe", errno));
  return Pipe{std::move(ends.first), std::move(ends.second)};
}

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

}  // namespace jackal::remote
