// The real surroundings: files, permissions and commands of this machine.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "jackal/remote/ssh_config.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using jackal::ErrorCode;
using jackal::remote::SshConfig;
using jackal::remote::Surroundings;
using jackal::remote::this_machine;

namespace {

/// A home directory with an empty ~/.ssh.
class Home {
public:
  Home() {
    std::string pattern = (fs::temp_directory_path() / "jackal-home-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
    fs::create_directories(path_ / ".ssh");
  }
  ~Home() { fs::remove_all(path_); }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;

  void write(const std::string& name, const std::string& text, unsigned mode = 0600) const {
    fs::create_directories((path_ / ".ssh" / name).parent_path());
    std::ofstream(path_ / ".ssh" / name, std::ios::binary) << text;
    fs::permissions(path_ / ".ssh" / name, static_cast<fs::perms>(mode));
  }
  Surroundings surroundings() const {
    Surroundings result = this_machine();
    result.home = path_.string();
    return result;
  }
  std::string path(const std::string& name) const { return (path_ / ".ssh" / name).string(); }

private:
  fs::path path_;
};

/// No longer running; a killed orphan may stay as a zombie until its new parent looks.
bool is_gone(pid_t pid) {
  if (::kill(pid, 0) != 0) return true;
  std::ifstream stat(fs::path("/proc") / std::to_string(pid) / "stat");
  std::string name;
  std::string state;
  stat >> name >> name >> state;
  return state == "Z";
}

}  // namespace

TEST_CASE("included files are found in lexical order, directories among them left out") {
  const Home home;
  home.write("config", "Include conf.d/*\n");
  home.write("conf.d/b", "User second\n");
  home.write("conf.d/a", "User first\n");
  home.write("conf.d/c/d", "Nonsense\n");
  CHECK(SshConfig::load(home.surroundings())->resolve("h")->user == "first");
}

TEST_CASE("a configuration that others may write is refused, unless it was named") {
  const Home home;
  home.write("config", "Port 7\n", 0666);
  const auto refused = SshConfig::load(home.surroundings());
  REQUIRE(!refused);
  CHECK(refused.error().code == ErrorCode::bad_input);
  CHECK(refused.error().where == home.path("config"));
  CHECK(refused.error().hint == "chmod go-w " + home.path("config"));
  CHECK(SshConfig::load(home.surroundings(), home.path("config"))->resolve("h")->port == 7);
}

TEST_CASE("this machine knows its user") {
  const Surroundings surroundings = this_machine();
  CHECK(surroundings.uid == std::to_string(::getuid()));
  CHECK(!surroundings.user.empty());
  CHECK(surroundings.home_of(surroundings.user) == surroundings.home);
  CHECK(!surroundings.home_of("no such user"));
  CHECK(!surroundings.variable("JACKAL_NO_SUCH_VARIABLE"));
}

TEST_CASE("Match exec runs the user's shell and takes its exit code") {
  const Surroundings surroundings = this_machine();
  CHECK(surroundings.run("true").value());
  CHECK(!surroundings.run("exit 3").value());
  CHECK(!surroundings.run("kill -9 $$").value());
}

TEST_CASE("a Match exec that does not end is ended, with its children", "[.][long]") {
  const Home home;
  const auto result = this_machine().run("sleep 1000 & echo $! > " + home.path("pid") + "; wait");
  REQUIRE(!result);
  CHECK(result.error().code == ErrorCode::timed_out);
  pid_t child = 0;
  std::ifstream(home.path("pid")) >> child;
  REQUIRE(child > 0);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!is_gone(child)) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
}
