// sudo, and the programs of Linux that a Mac calls with other words.
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "jackal/base/error.hpp"
#include "simmac/commands.hpp"

namespace jackal::simmac {
namespace {

int execute(const Words& words) {
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  std::fflush(nullptr);
  ::execvp(argv.front(), argv.data());
  return errno;
}

bool become(const std::string& user) {
  const auto* entry = ::getpwnam(user.c_str());
  return entry != nullptr && ::initgroups(user.c_str(), entry->pw_gid) == 0 && ::setgid(entry->pw_gid) == 0 &&
         ::setuid(entry->pw_uid) == 0;
}

}  // namespace

int sudo(const Mac& mac, const Words& words) {
  bool ask = true;
  bool list = false;
  std::string user = "root";
  std::size_t at = 0;
  for (; at < words.size() && words[at].front() == '-'; ++at) {
    if (words[at] == "--") {
      ++at;
      break;
    }
    if (words[at] == "-n" || words[at] == "--non-interactive") ask = false;
    if (words[at] == "-l") list = true;
    if (words[at] == "-u" && at + 1 < words.size()) user = words[++at];
  }
  for (; at < words.size() && words[at].find('=') != std::string::npos; ++at) {
    const auto equals = words[at].find('=');
    ::setenv(words[at].substr(0, equals).c_str(), words[at].substr(equals + 1).c_str(), 1);
  }
  if (::getuid() != 0 && !mac.machine().sudo) {
    if (ask)
      std::fprintf(stderr,
                   "sudo: a terminal is required to read the password; either use the -S option to read from "
                   "standard input or configure an askpass helper\n");
    std::fprintf(stderr, "sudo: a password is required\n");
    return 1;
  }
  const Words command(words.begin() + static_cast<std::ptrdiff_t>(std::min(at, words.size())), words.end());
  if (command.empty() || list) return list ? 0 : 1;
  if (!become(user)) {
    std::fprintf(stderr, "sudo: unknown user %s\n", user.c_str());
    return 1;
  }
  const int error = execute(command);
  if (error == ENOENT)
    std::fprintf(stderr, "sudo: %s: command not found\n", command.front().c_str());
  else
    std::fprintf(stderr, "sudo: unable to execute %s: %s\n", command.front().c_str(),
                 errno_text(error).c_str());
  return 1;
}

// macOS: -t SECONDS for all, -W MILLISECONDS for one answer. Linux: -w and -W, both in seconds.
int ping(const Mac&, const Words& words) {
  Words own = {"/usr/bin/ping"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool valued = i + 1 < words.size();
    if (words[i] == "-t" && valued) {
      own.insert(own.end(), {"-w", words[++i]});
    } else if (words[i] == "-W" && valued) {
      own.insert(own.end(), {"-W", fmt::format("{:.3f}", std::atof(words[++i].c_str()) / 1000)});
    } else if (words[i] == "-S" && valued) {
      own.insert(own.end(), {"-I", words[++i]});
    } else if (words[i] == "-b" && valued) {
      own.insert(own.end(), {"-I", words[++i]});
    } else {
      own.push_back(words[i]);
    }
  }
  std::fprintf(stderr, "ping: %s\n", errno_text(execute(own)).c_str());
  return 1;
}

// macOS: -G SECONDS bounds the connecting, -w the idling. OpenBSD's nc of Debian: -w for both.
int nc(const Mac&, const Words& words) {
  Words own = {"/usr/bin/nc"};
  for (const auto& word : words) own.push_back(word == "-G" ? "-w" : word);
  std::fprintf(stderr, "nc: %s\n", errno_text(execute(own)).c_str());
  return 1;
}

}  // namespace jackal::simmac
