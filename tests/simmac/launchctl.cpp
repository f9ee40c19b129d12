// launchctl for the system domain: jobs are property lists, known once they are bootstrapped.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "jackal/base/file.hpp"
#include "simmac/launchd.hpp"

namespace jackal::simmac {
namespace {

namespace fs = std::filesystem;

const fs::path kLoaded = "/private/simmac/launchd";  // LABEL → where its property list lies
const fs::path kDaemons = "/Library/LaunchDaemons";
constexpr std::size_t kMostBytes = 1U << 20;

// launchctl's own codes.
constexpr int kNoSuchProcess = 3;
constexpr int kInputOutput = 5;
constexpr int kNoSuchService = 113;

int refuse(const std::string& text, int code) {
  std::fprintf(stderr, "%s\n", text.c_str());
  return code;
}

std::string plain_text(std::string text) {
  for (const auto& [entity, letter] :
       {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&amp;", "&"}}) {
    for (auto at = text.find(entity); at != std::string::npos; at = text.find(entity, at + 1)) {
      text.replace(at, std::char_traits<char>::length(entity), letter);
    }
  }
  return text;
}

/// What stands between <string> and </string> from `at` on; moves `at` behind it.
std::optional<std::string> next_string(const std::string& text, std::size_t& at, std::size_t end) {
  const auto begin = text.find("<string>", at);
  const auto close = begin == std::string::npos ? begin : text.find("</string>", begin);
  if (close == std::string::npos || close > end) return std::nullopt;
  at = close;
  return plain_text(text.substr(begin + 8, close - begin - 8));
}

int load(const fs::path& file) {
  const auto job = read_job(file);
  const auto failed = "Bootstrap failed: 5: Input/output error";
  if (!job || fs::exists(kLoaded / job->label)) return refuse(failed, kInputOutput);
  fs::create_directories(kLoaded);
  if (!write_file(kLoaded / job->label, fs::absolute(file).string())) return refuse(failed, kInputOutput);
  if (job->run_at_load) run_job(*job);
  return 0;
}

/// "system/LABEL" → LABEL
std::string label_of(const std::string& target) { return target.substr(target.find('/') + 1); }

std::optional<Job> loaded_job(const std::string& label) {
  const auto file = read_file(kLoaded / label, kMostBytes);
  return file ? read_job(*file) : std::nullopt;
}

}  // namespace

std::optional<Job> read_job(const fs::path& file) {
  struct stat facts {};
  // launchd takes no job from a file that somebody else could have written.
  if (::stat(file.c_str(), &facts) != 0 || facts.st_uid != 0 || (facts.st_mode & 022) != 0)
    return std::nullopt;
  const auto text = read_file(file, kMostBytes);
  if (!text || text->find("</plist>") == std::string::npos) return std::nullopt;
  Job job;
  std::size_t at = text->find("<key>Label</key>");
  if (at == std::string::npos) return std::nullopt;
  job.label = next_string(*text, at, text->size()).value_or("");
  at = text->find("<key>ProgramArguments</key>");
  const auto end = at == std::string::npos ? at : text->find("</array>", at);
  if (end == std::string::npos || job.label.empty() || job.label.find('/') != std::string::npos)
    return std::nullopt;
  while (auto word = next_string(*text, at, end)) job.argv.push_back(std::move(*word));
  at = text->find("<key>RunAtLoad</key>");
  if (at != std::string::npos) {
    at = text->find('<', at + 20);
    job.run_at_load = text->compare(at, 7, "<true/>") == 0;
  }
  if (job.argv.empty()) return std::nullopt;
  return job;
}

void run_job(const Job& job) {
  std::vector<char*> argv;
  for (const auto& word : job.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  // As launchd's children: no terminal, no files, a path that has macOS' commands.
  const std::string path = "PATH=/private/simmac/bin:/usr/bin:/bin:/usr/sbin:/sbin";
  char* const environment[] = {const_cast<char*>(path.c_str()), nullptr};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  for (const int fd : {0, 1, 2}) posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = 0;
  (void)::posix_spawn(&pid, argv.front(), &files, &attributes, argv.data(), environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
}

void start_launchd() {
  std::error_code none;
  fs::remove_all(kLoaded, none);
  std::vector<fs::path> files;
  for (fs::directory_iterator it(kDaemons, none), end; !none && it != end; it.increment(none))
    files.push_back(it->path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    if (file.extension() == ".plist") load(file);
  }
}

int launchctl(const Mac&, const Words& words) {
  const std::string verb = words.empty() ? "" : words[0];
  if (verb == "list" || verb == "print") {
    const auto label = words.size() > 1 ? label_of(words.back()) : "";
    if (!label.empty() && !loaded_job(label)) {
      return refuse(fmt::format("Could not find service \"{}\" in domain for system", label), kNoSuchService);
    }
    std::puts(label.empty() ? "PID\tStatus\tLabel" : label.c_str());
    return 0;
  }
  if (words.size() < 2) return refuse("Usage: launchctl <subcommand> ...", 64);
  if (::geteuid() != 0) return refuse("Operation not permitted", 1);
  if (verb == "bootstrap" && words.size() == 3 && words[1] == "system") return load(words[2]);
  const auto label = label_of(words.back());
  if (verb == "bootout") {
    std::error_code none;
    return fs::remove(kLoaded / label, none) ? 0
                                             : refuse("Boot-out failed: 3: No such process", kNoSuchProcess);
  }
  if (verb == "kickstart") {
    const auto job = loaded_job(label);
    if (!job)
      return refuse(fmt::format("Could not find service \"{}\" in domain for system", label), kNoSuchService);
    run_job(*job);
    return 0;
  }
  if (verb == "enable") return 0;
  return refuse("Unrecognized subcommand: " + verb, 64);
}

}  // namespace jackal::simmac
