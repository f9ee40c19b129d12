#include "jackal/tbdiscovery/setup_script.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "jackal/base/file.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using namespace jackal;
using namespace jackal::tbdiscovery;

namespace {

constexpr std::size_t kLimit = 1 << 20;

/// A node whose only command, `change`, notes its words; those in `refused` fail, `behaviour` runs before.
class NodeHome {
public:
  NodeHome() {
    std::string pattern = (fs::temp_directory_path() / "jackal-home-XXXXXX").string();
    home = ::mkdtemp(pattern.data());
    fs::create_directory(home / "bin");
    program("sudo", "shift; exec \"$@\"");
    program("change", R"sh(cd "$HOME"; [ ! -e behaviour ] || . ./behaviour
if [ -e refused ] && grep -qxF "$*" refused; then echo "no $*" >&2; exit 5; fi
echo "$*" >>log)sh");
  }
  ~NodeHome() { fs::remove_all(home); }

  void program(const std::string& name, const std::string& script) const {
    std::ofstream(home / "bin" / name) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(home / "bin" / name, fs::perms::owner_all);
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(home / name) << text; }
  std::string read(const fs::path& name) const { return read_file(home / name, kLimit).value_or(""); }
  bool has(const fs::path& name) const { return fs::exists(home / name); }

  /// Runs the script to its end; each line that it tells.
  std::vector<std::string> run(const std::string& script) const {
    write("script", script);
    const std::string command = "cd " + home.string() + " && HOME=" + home.string() +
                                " XDG_STATE_HOME= PATH=" + home.string() +
                                "/bin:$PATH JACKAL_PLACE=" + home.string() +
                                "/place sh -c 'echo $$ >front; . ./script' >out 2>told </dev/null; true";
    const int status = std::system(command.c_str());
    REQUIRE(WIFEXITED(status));
    std::istringstream lines(read("told"));
    std::vector<std::string> told;
    for (std::string line; std::getline(lines, line);) told.push_back(line);
    return told;
  }

  fs::path home;
};

const fs::path kRecord = ".local/state/jackal/links.json";
const fs::path kRunning = ".local/state/jackal/links.running";

Step step(const std::string& word) {
  Step made;
  made.argv = {"change", word};
  made.undo = {"change", "un" + word};
  made.why = word;
  return made;
}

SetupJob job_of(const std::vector<std::string>& words) {
  SetupJob job;
  for (const auto& word : words) job.steps.push_back(step(word));
  job.record_after = "after\n";
  return job;
}

SetupTold told_by(const SetupJob& job, const std::vector<std::string>& lines) {
  SetupTold told(job);
  for (const auto& line : lines) told.take(line);
  return told;
}

}  // namespace

TEST_CASE("the steps are done in order, under a record that stays") {
  const NodeHome node;
  node.write("behaviour", "cat .local/state/jackal/links.json >>records\n");
  auto job = job_of({"one", "two"});
  job.checks = {{{"cat", node.home / "log"}, "one\ntwo\n", "both are done"}};
  const auto lines = node.run(setup_script(job));
  CHECK(lines == std::vector<std::string>{"step 1", "step 2", "end done"});
  CHECK(node.read("log") == "one\ntwo\n");
  CHECK(node.read("records") == "after\nafter\n");
  CHECK(node.read(kRecord) == "after\n");
  CHECK_FALSE(node.has(kRunning));
  SetupTold told(job);
  CHECK(told.take("step 2") == "2/2 two");
  CHECK_FALSE(told_by(job, lines).error("m1"));
}

TEST_CASE("a command that fails is named, and what was done before it is undone") {
  const NodeHome node;
  node.write("refused", "two\n");
  const auto job = job_of({"zero", "one", "two", "three"});
  const auto told = told_by(job, node.run(setup_script(job)));
  CHECK(node.read("log") == "zero\none\nunone\nunzero\n");
  CHECK_FALSE(node.has(kRecord));
  REQUIRE(told.error("m1"));
  CHECK(told.error("m1")->what ==
        "\"sudo change two\" failed with code 5: no two; what was done before it is undone");
}

TEST_CASE("an error without an end of line, with signs that echo would obey, is told whole") {
  const NodeHome node;
  node.write("behaviour", "printf '%s' 'half \\a line\\nend done' >&2; exit 3\n");
  const auto job = job_of({"one"});
  const auto told = told_by(job, node.run(setup_script(job)));
  CHECK(told.end() == SetupEnd::failed);
  CHECK(told.error("m1")->what ==
        "\"sudo change one\" failed with code 3: half \\a line\\nend done; nothing is changed there");
}

TEST_CASE("what cannot be undone keeps the record") {
  const NodeHome node;
  node.write("refused", "two\nunone\n");
  const auto job = job_of({"zero", "one", "two"});
  const auto told = told_by(job, node.run(setup_script(job)));
  CHECK(node.read("log") == "zero\none\nunzero\n");
  CHECK(node.read(kRecord) == "after\n");
  CHECK(told.error("m1")->what ==
        "\"sudo change two\" failed with code 5: no two; not undone: \"sudo change unone\"");
  CHECK(told.error("m1")->hint.find("m1 is half set up: --undo restores what was.") != std::string::npos);
}

TEST_CASE("a check that does not hold undoes everything") {
  const NodeHome node;
  auto job = job_of({"one", "two"});
  job.checks = {{{"echo", "interface: en3"}, "interface: en2\n", "10.0.0.1 is reached over en2"}};
  const auto told = told_by(job, node.run(setup_script(job)));
  CHECK(node.read("log") == "one\ntwo\nuntwo\nunone\n");
  CHECK_FALSE(node.has(kRecord));
  CHECK(told.error("m1")->what ==
        "all commands succeeded, yet not 10.0.0.1 is reached over en2: \"echo 'interface: en3'\" says "
        "interface: en3; what was done before it is undone");
}

TEST_CASE("a worker that is told to stop undoes what it did") {
  const NodeHome node;
  node.write("behaviour", "[ \"$1\" != one ] || kill -TERM \"$(cat front)\"; sleep 1\n");
  auto job = job_of({"one", "two"});
  job.record_before = "before\n";
  fs::create_directories((node.home / kRecord).parent_path());
  node.write(kRecord, "before\n");
  const auto told = told_by(job, node.run(setup_script(job)));
  CHECK(told.end() == SetupEnd::stopped);
  CHECK(node.read("log") == "one\nunone\n");
  CHECK(node.read(kRecord) == "before\n");
}

TEST_CASE("a worker comes to its end when nobody is there any more") {
  const NodeHome node;
  node.write("behaviour", "[ \"$1\" != one ] || kill -KILL \"$(cat front)\"\n");
  node.run(setup_script(job_of({"one", "two", "three"})));
  for (int i = 0; i < 200 && (node.has(kRunning) || !node.has(kRecord)); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(node.read("log") == "one\ntwo\nthree\n");
  CHECK(node.read(kRecord) == "after\n");
  CHECK_FALSE(node.has(kRunning));
}

TEST_CASE("one set-up at a time, and a lock whose owner is gone is none") {
  const NodeHome node;
  const auto job = job_of({"one"});
  fs::create_directories(node.home / kRunning);
  node.write(kRunning / "pid", std::to_string(::getpid()) + "\n");
  const auto busy = told_by(job, node.run(setup_script(job)));
  CHECK(busy.end() == SetupEnd::busy);
  CHECK(busy.error("m1")->what ==
        "somebody else is setting it up (process " + std::to_string(::getpid()) + ")");
  CHECK_FALSE(node.has("log"));
  node.write(kRunning / "pid", "999999999\n");
  CHECK(told_by(job, node.run(setup_script(job))).end() == SetupEnd::done);
  CHECK(node.read("log") == "one\n");
}

TEST_CASE("a lock that was just made is nobody else's, and one that is never signed is taken") {
  const NodeHome node;
  const auto job = job_of({"one"});
  fs::create_directories(node.home / kRunning);
  std::thread owner([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    node.write(kRunning / "pid", std::to_string(::getpid()) + "\n");
  });
  const auto busy = told_by(job, node.run(setup_script(job)));
  owner.join();
  CHECK(busy.end() == SetupEnd::busy);
  CHECK_FALSE(node.has("log"));
  fs::remove(node.home / kRunning / "pid");
  CHECK(told_by(job, node.run(setup_script(job))).end() == SetupEnd::done);
  CHECK(node.read("log") == "one\n");
}

TEST_CASE("a record that is not the one that was read stops everything") {
  const NodeHome node;
  fs::create_directories((node.home / kRecord).parent_path());
  node.write(kRecord, "of somebody else\n");
  const auto job = job_of({"one"});
  CHECK(told_by(job, node.run(setup_script(job))).end() == SetupEnd::changed);
  CHECK_FALSE(node.has("log"));
  CHECK_FALSE(node.has(kRunning));
}

TEST_CASE("a file gets its old contents back") {
  const NodeHome node;
  const auto path = (node.home / "file").string();
  node.write("file", "old\n");
  node.write("refused", "two\n");
  auto job = job_of({"one", "two"});
  job.steps[0].argv = {"tee", path};
  job.steps[0].undo = {"rm", "-f", path};
  job.steps[0].input = "it's new $HOME\n";
  node.run(setup_script(job));
  CHECK(node.read("file") == "old\n");
  job.steps.pop_back();
  CHECK(told_by(job, node.run(setup_script(job))).end() == SetupEnd::done);
  CHECK(node.read("file") == "it's new $HOME\n");
}

TEST_CASE("an undo does what it can, and forgets only when all is done") {
  const NodeHome node;
  fs::create_directories((node.home / kRecord).parent_path());
  node.write(kRecord, "before\n");
  auto job = job_of({"one", "two", "three"});
  job.record_before = "before\n";
  job.record_after.clear();
  job.undoes = true;
  for (auto& one : job.steps) one.undo.clear();
  node.write("refused", "two\n");
  const auto told = told_by(job, node.run(setup_script(job)));
  CHECK(told.error("m1")->what == "\"sudo change two\" failed with code 5: no two");
  CHECK(node.read("log") == "one\nthree\n");
  CHECK(node.read(kRecord) == "before\n");
  node.write("refused", "");
  CHECK(told_by(job, node.run(setup_script(job))).end() == SetupEnd::done);
  CHECK_FALSE(node.has(kRecord));
}

TEST_CASE("what a node keeps is read back, and anything else is refused") {
  const NodeHome node;
  fs::create_directories((node.home / kRecord).parent_path());
  node.run(kept_script(System::macos));
  CHECK(read_kept(node.read("out"), "m1")->record.empty());
  node.write(kRecord, "");
  node.run(kept_script(System::macos));
  CHECK(read_kept(node.read("out"), "m1")->record.empty());
  node.write(kRecord, "a record\n");
  node.run(kept_script(System::macos));
  CHECK(read_kept(node.read("out"), "m1")->record == "a record\n");
  CHECK(read_kept("9\na record\n\n4\nfour\n", "m1")->lasting == "four");
  for (const char* text : {"", "9\nshort", "x\n", "0\n", "0\n5\nfour"}) {
    INFO(text);
    CHECK(read_kept(text, "m1").error().code == ErrorCode::bad_input);
  }
}
