#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "jackal/base/file.hpp"
#include "jackal/remote/ssh_config.hpp"

extern char** environ;

namespace jackal::remote {
namespace {

constexpr std::size_t kMaxFileBytes = 16 * 1024 * 1024;
constexpr std::chrono::seconds kMatchExecLimit{10};

struct Account {
  std::string name;
  std::string home;
};

/// The account that `look_up` finds, a call of getpwnam_r or getpwuid_r.
template <class LookUp>
std::optional<Account> account(LookUp look_up) {
  std::string buffer(16 * 1024, '\0');
  passwd entry{};
  passwd* found = nullptr;
  if (look_up(&entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return std::nullopt;
  return Account{found->pw_name, found->pw_dir};
}

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

/// A file that others may change could make us run their commands.
Result<std::string> read_checked(const std::string& path, Surroundings::Check check) {
  struct stat status {};
  if (check == Surroundings::Check::only_owner_writes && ::stat(path.c_str(), &status) == 0) {
    const bool foreign = status.st_uid != 0 && status.st_uid != ::getuid();
    if (foreign || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
      return fail({ErrorCode::bad_input, path, "bad owner or permissions: others may write to it",
                   "chmod go-w " + path});
    }
  }
  return read_file(path, kMaxFileBytes);
}

std::vector<std::string> matching_files(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      struct stat status {};
      const bool directory = ::stat(found.gl_pathv[i], &status) == 0 && S_ISDIR(status.st_mode);
      if (!directory) paths.emplace_back(found.gl_pathv[i]);
    }
  }
  ::globfree(&found);
  return paths;
}

/// Starts the user's shell with the command in a process group of its own, away from our standard streams.
Result<pid_t> start_shell(const std::string& command) {
  std::string shell = variable("SHELL").value_or("/bin/sh");
  if (shell.empty()) shell = "/bin/sh";
  std::string option = "-c";
  std::string text = command;
  std::array<char*, 4> argv = {shell.data(), option.data(), text.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, shell.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return fail({ErrorCode::not_found, shell, "cannot start: " + errno_text(failed), ""});
  }
  return pid;
}

Result<bool> run(const std::string& command) {
  const auto pid = start_shell(command);
  if (!pid) return fail(pid.error());
  const auto deadline = std::chrono::steady_clock::now() + kMatchExecLimit;
  for (auto pause = std::chrono::milliseconds(1);;) {
    int status = 0;
    const pid_t ended = ::waitpid(*pid, &status, WNOHANG);
    if (ended == *pid) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (ended < 0 && errno != EINTR) {
      return fail({ErrorCode::internal, "", "cannot wait: " + errno_text(errno), ""});
    }
    if (std::chrono::steady_clock::now() >= deadline) break;
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, std::chrono::milliseconds(50));
  }
  ::kill(-*pid, SIGKILL);
  ::waitpid(*pid, nullptr, 0);
  return fail({ErrorCode::timed_out, "",
               fmt::format("`{}` did not end within {} s", command, kMatchExecLimit.count()), ""});
}

std::string host_name() {
  std::array<char, 1024> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

Surroundings this_machine() {
  const uid_t uid = ::getuid();
  const auto self = account([uid](auto... rest) { return ::getpwuid_r(uid, rest...); });
  Surroundings surroundings;
  surroundings.user = self ? self->name : variable("USER").value_or("");
  surroundings.home = self ? self->home : variable("HOME").value_or("");
  surroundings.uid = std::to_string(uid);
  surroundings.host_name = host_name();
  surroundings.variable = variable;
  surroundings.home_of = [](const std::string& user) -> std::optional<std::string> {
    const auto found = account([&user](auto... rest) { return ::getpwnam_r(user.c_str(), rest...); });
    return found ? std::optional<std::string>(found->home) : std::nullopt;
  };
  surroundings.read = read_checked;
  surroundings.glob = matching_files;
  surroundings.run = run;
  return surroundings;
}

}  // namespace jackal::remote
