#include "jackal/tbdiscovery/live_probe.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "jackal/base/random.hpp"
#include "probe_commands.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using namespace jackal;
using namespace jackal::tbdiscovery;

namespace {

/// A directory in front of PATH while it lives, with programs of our own.
class Programs {
public:
  Programs() : path_before_(std::getenv("PATH")) {
    std::string pattern = (fs::temp_directory_path() / "jackal-programs-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    ::setenv("PATH", (directory_.string() + ":" + path_before_).c_str(), 1);
  }
  ~Programs() {
    ::setenv("PATH", path_before_.c_str(), 1);
    fs::remove_all(directory_);
  }
  void add(const std::string& name, const std::string& script) const {
    std::ofstream(directory_ / name) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(directory_ / name, fs::perms::owner_all);
  }

private:
  std::string path_before_;
  fs::path directory_;
};

NodeProbes probe_this_machine(std::chrono::milliseconds patience) {
  remote::Loop loop;
  RawProbes probes;
  remote::NodeOptions options;
  options.name = "127.0.0.1";
  options.id = "test-" + to_hex(random_bytes(8));
  remote::Shell shell(loop, options, {[](const auto&) {}, [](const auto&) {}});
  const LiveProbe probe(loop, {&shell}, patience,
                        {[](const auto&, const auto&) {},
                         [&](RawProbes all) {
                           probes = std::move(all);
                           shell.finish([&] { loop.stop(); });
                         }});
  loop.run();
  return probes.at(0);
}

}  // namespace

TEST_CASE("a command that hangs costs its own answer and no other") {
  const Programs programs;
  programs.add("uname", "echo Linux 6.1");
  programs.add("ip", "printf part; exec sleep 1000");
  const auto probes = probe_this_machine(std::chrono::seconds(3));
  CHECK_FALSE(probes.failure.has_value());
  CHECK(probes.files.at("os.txt").bytes == "Linux 6.1\n");
  CHECK(probes.files.at("os.txt").exit == 0);
  CHECK(probes.files.at("ip_addr.json").bytes == "part");
  CHECK_FALSE(probes.files.at("ip_addr.json").exit.has_value());
}

TEST_CASE("the text form is asked for only where the JSON form printed nothing") {
  const Programs programs;
  programs.add("uname", "[ \"$1\" = -s ] && echo Darwin || echo Darwin 19.6.0");
  programs.add("system_profiler", "[ \"$2\" = -json ] && exit 1; echo Thunderbolt:");
  const auto probes = probe_this_machine(std::chrono::minutes(1));
  CHECK(probes.files.count("system_profiler.json") == 0);
  CHECK(probes.files.at("system_profiler.txt").bytes == "Thunderbolt:\n");
  CHECK(probes.files.at("system_profiler.txt").argv ==
        std::vector<std::string>{"system_profiler", "SPThunderboltDataType"});
}

TEST_CASE("frames keep every byte, and what is no frame is refused") {
  const auto files = read_probe_frames(
      std::string("file os.txt 0 12 0\nLinux\nend\nA\xff\nfile sudo.txt - 2 3\n1\nerr\nend\n"));
  REQUIRE(files.has_value());
  CHECK(files->at("os.txt").bytes == "Linux\nend\nA\xff");
  CHECK(files->at("sudo.txt").bytes == "1\n");
  CHECK(files->at("sudo.txt").standard_error == "err");
  CHECK_FALSE(files->at("sudo.txt").exit.has_value());
  CHECK(files->size() == 2);
  CHECK(read_probe_frames("file os.txt 0 0 0\n\nend\n")->empty());

  for (const char* text :
       {"", "end", "Welcome\nend\n", "file os.txt 0 5 0\nLin", "file ../x 0 1 0\na\nend\n",
        "file os.txt 0 -1 0\na\nend\n", "file os.txt 0 18446744073709551615 2\na\nend\n"}) {
    INFO(text);
    const auto refused = read_probe_frames(text);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::bad_input);
  }
}
