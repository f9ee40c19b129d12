// Any words, NUL between them, through one long-lived sh: it must give the same bytes back. The shell has an
// empty PATH and an empty directory to itself, so that a wrong quote can do no harm.
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "jackal/remote/quote.hpp"

namespace {

class PersistentShell {
public:
  PersistentShell() {
    ::signal(SIGPIPE, SIG_IGN);
    std::string pattern = (std::filesystem::temp_directory_path() / "jackal-quote-fuzz-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    int input[2];
    int output[2];
    if (::pipe(input) != 0 || ::pipe(output) != 0) std::abort();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], 0);
    posix_spawn_file_actions_adddup2(&actions, output[1], 1);
    for (const int fd : {input[0], input[1], output[0], output[1]}) {
      posix_spawn_file_actions_addclose(&actions, fd);
    }
    char name[] = "sh";
    char* argv[] = {name, nullptr};
    char path[] = "PATH=/nonexistent";
    char* environment[] = {path, nullptr};
    pid_t pid = 0;
    if (::posix_spawn(&pid, "/bin/sh", &actions, nullptr, argv, environment) != 0) std::abort();
    posix_spawn_file_actions_destroy(&actions);
    ::close(input[0]);
    ::close(output[1]);
    input_ = input[1];
    output_ = output[0];
    send("cd '" + directory_.string() + "'\n");
  }
  ~PersistentShell() {
    ::close(input_);
    ::close(output_);
    std::filesystem::remove_all(directory_);
  }
  PersistentShell(const PersistentShell&) = delete;
  PersistentShell& operator=(const PersistentShell&) = delete;

  void send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = ::write(input_, text.data(), text.size());
      if (written <= 0) std::abort();
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  /// The next `size` bytes; a shell that waits for a closing quote instead shows as an abort after 10 s.
  std::string receive(std::size_t size) const {
    std::string bytes(size, '\0');
    for (std::size_t have = 0; have < size;) {
      pollfd waiting{output_, POLLIN, 0};
      if (::poll(&waiting, 1, 10'000) != 1) std::abort();
      const ssize_t got = ::read(output_, bytes.data() + have, size - have);
      if (got <= 0) std::abort();
      have += static_cast<std::size_t>(got);
    }
    return bytes;
  }

private:
  std::filesystem::path directory_;
  int input_ = -1;
  int output_ = -1;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const PersistentShell shell;
  if (size > 16 * 1024) return 0;  // what a pipe holds, so that the shell's answer never blocks
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == 0) {
      words.emplace_back();
    } else {
      words.back() += static_cast<char>(data[i]);
    }
  }
  std::string expected;
  for (const std::string& word : words) expected.append(word).push_back('\0');
  expected += "end";
  shell.send("printf '%s\\0' " + jackal::remote::quote(words) + "; printf end\n");
  if (shell.receive(expected.size()) != expected) std::abort();
  return 0;
}
