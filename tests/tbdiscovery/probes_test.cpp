#include "jackal/tbdiscovery/probes.hpp"

#include <unistd.h>

#include <filesystem>

#include "jackal/tbdiscovery/report.hpp"
#include "support/catch.hpp"
#include "tbdiscovery/fixtures.hpp"

namespace fs = std::filesystem;
using namespace jackal::tbdiscovery;
using namespace jackal::tbdiscovery::test;

namespace {

class Directory {
public:
  Directory() {
    std::string pattern = (fs::temp_directory_path() / "jackal-probes-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Directory() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

private:
  fs::path path_;
};

}  // namespace

TEST_CASE("saved probes are read back as they were, in the order asked for") {
  const Directory directory;
  RawProbes probes = {probes_of("m2", {{"os.txt", "Darwin 25.2.0\n"}}),
                      probes_of("m1", {{"ibv_devices.txt", std::string("\x00\xff bytes", 8)}})};
  probes[0].files["os.txt"].argv = {"uname", "-sr"};
  probes[0].files["os.txt"].exit = 0;
  probes[0].files["os.txt"].standard_error = "tab\t\"quote\"";
  probes[0].files["os.txt"].milliseconds = 12;
  REQUIRE(write_probes(directory.path(), probes));

  const auto read = read_probes(directory.path(), {"m2", "m1"}).value();
  REQUIRE(read.size() == 2);
  CHECK(read[0].node == "m2");
  CHECK(read[0].files == probes[0].files);
  CHECK(read[1].files == probes[1].files);
  CHECK(read_probes(directory.path(), {}).value()[0].node == "m1");
  CHECK(read_probes(directory.path(), {"m1"}).value().size() == 1);
}

TEST_CASE("probes that are saved over older ones leave nothing of them") {
  const Directory directory;
  REQUIRE(write_probes(directory.path(), {probes_of("m1", {{"rdma_ctl.txt", "enabled\n"}})}));
  REQUIRE(jackal::write_file(directory.path() / "m1" / "notes", "mine"));
  REQUIRE(write_probes(directory.path(), {probes_of("m1", {{"os.txt", "Darwin 25.2.0\n"}})}));
  CHECK(read_probes(directory.path(), {"m1"}).value()[0].files.size() == 1);
  CHECK(fs::exists(directory.path() / "m1" / "notes"));
}

TEST_CASE("a node without saved probes is an error that names it") {
  const Directory directory;
  REQUIRE(write_probes(directory.path(), {probes_of("m1", {})}));
  CHECK(read_probes(directory.path(), {"m9"}).error().what == "holds no probes of the node \"m9\"");
  CHECK(!read_probes(directory.path(), {"../m1"}));
  CHECK(!read_probes(directory.path() / "none", {}));
  CHECK(!write_probes(directory.path(), {probes_of("a/b", {})}));
}

TEST_CASE("a directory whose name is more than a line is no node") {
  const Directory directory;
  fs::create_directories(directory.path() / "m1\nreboot #");
  const auto read = read_probes(directory.path(), {});
  REQUIRE(!read);
  CHECK(read.error().what == "holds a directory whose name cannot be a node's: \"m1 reboot #\"");
}

TEST_CASE("a directory of pasted outputs needs no status.json") {
  const Directory directory;
  fs::create_directories(directory.path() / "m1");
  REQUIRE(jackal::write_file(directory.path() / "m1" / "system_profiler.txt",
                             fixture("system_profiler_text/studio-m4max-4port-dock-raid.txt")));
  const auto report = parse(read_probes(directory.path(), {}).value()[0]);
  CHECK(report.system == System::macos);
  CHECK(report.buses->size() == 4);
}
