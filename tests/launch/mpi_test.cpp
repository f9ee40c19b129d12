#include "launch/mpi.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "jackal/base/file.hpp"
#include "jackal/remote/quote.hpp"

#include "launch/fixture.hpp"

namespace jackal::launch {
namespace {

namespace fs = std::filesystem;

RankJob mpirun_of(const Job& job) {
  REQUIRE(job.through_mpirun);
  REQUIRE(job.ranks.size() == 1);
  return job.ranks[0];
}

/// The words after `sh -c SCRIPT mpirun`.
Words mpirun_words(const Job& job) {
  const Words& argv = mpirun_of(job).command.argv;
  REQUIRE(argv.size() > 4);
  CHECK(argv[0] == "/bin/sh");
  return {argv.begin() + 4, argv.end()};
}

bool contains(const Words& words, const Words& part) {
  return std::search(words.begin(), words.end(), part.begin(), part.end()) != words.end();
}

}  // namespace

TEST_CASE("mpi: the job is mpirun on this machine, with a host file of slots", "[mpi]") {
  const Job job = job_of({"--backend", "mpi", "--hosts", "a,b", "-n", "2"});
  CHECK(job.hosts == Words{"127.0.0.1"});
  CHECK(job.size == 4);
  CHECK(file_in(mpirun_of(job), "JACKAL_MPI_HOSTFILE") == "a slots=2\nb slots=2\n");
}

TEST_CASE("mpi: directory, words of the user and the command, in mpirun's order", "[mpi]") {
  const Words words = mpirun_words(job_of({"--backend", "mpi", "--cwd", "/d", "--env", "A=1", "--mpi-arg",
                                           "--mca btl_tcp_if_include 'en 0'", "--python", "py"}));
  CHECK(Words(words.begin(), words.begin() + 2) == Words{"--wdir", "/d"});
  CHECK(contains(words, {"-x", "A"}));
  CHECK(contains(words, {"--mca", "btl_tcp_if_include", "en 0", "--", "py", "true"}));
}

TEST_CASE("mpi: values of variables stand in the environment, never on the command line", "[mpi]") {
  const Job job = job_of({"--backend", "mpi", "--env", "TOKEN=hush"});
  CHECK(variable(mpirun_of(job), "TOKEN") == "hush");
  for (const std::string& word : mpirun_of(job).command.argv) {
    CHECK(word.find("hush") == std::string::npos);
  }
}

TEST_CASE("mpi: what is known of our variables is forwarded, the rank is not", "[mpi]") {
  const Job job = job_of({"--backend", "mpi", "-n", "2"});
  const Words words = mpirun_words(job);
  for (const char* name : {"JACKAL_JOB", "JACKAL_SIZE", "JACKAL_COORDINATOR", "JACKAL_HOSTFILE",
                           "JACKAL_SECRET_FILE", "PYTHONUNBUFFERED"}) {
    CHECK(contains(words, {"-x", name}));
  }
  CHECK(variable(mpirun_of(job), "JACKAL_SIZE") == "2");
  CHECK_FALSE(variable(mpirun_of(job), "MLX_RANK").has_value());
  CHECK_FALSE(variable(mpirun_of(job), "JACKAL_RANK").has_value());
}

TEST_CASE("mpi: files of this machine are not promised to others", "[mpi]") {
  const Job job = job_of({"--backend", "mpi", "--hosts", "a,b"});
  CHECK_FALSE(file_in(mpirun_of(job), "JACKAL_SECRET_FILE").has_value());
  CHECK(job.coordinator.empty());
  CHECK(job_of({"--backend", "mpi", "--hosts", "10.0.0.1,b"}).coordinator.rfind("10.0.0.1:", 0) == 0);
}

TEST_CASE("mpi: nobody has to be asked first", "[mpi]") {
  CHECK(must(try_job({"--backend", "mpi", "--hosts", "a,b"}, std::nullopt, std::vector<NodeFacts>{})).size ==
        2);
}

namespace {

/// A directory of programs that stand in for Open MPI's; gone at the end of the test.
class FakeMpi {
public:
  explicit FakeMpi(const std::string& version) {
    std::string pattern = (fs::temp_directory_path() / "jackal-mpi-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    directory_ = pattern;
    fs::create_directories(directory_ / "bin");
    program("mpirun", "[ \"$1\" = --version ] && echo '" + version +
                          "' && exit\n"
                          "for word; do printf '<%s>' \"$word\"; done\n"
                          "printf ' %s %s' \"$MLX_MPI_LIBNAME\" \"${JACKAL_MPI_HOSTFILE-unset}\"\n");
    program("ompi_info", "");
    program("ldd", "printf '\\tlibc.so.6 => x\\n\\tlibmpi.so.40 => /lib/libmpi.so.40 (0x7)\\n'");
  }
  ~FakeMpi() { fs::remove_all(directory_); }
  FakeMpi(const FakeMpi&) = delete;
  FakeMpi& operator=(const FakeMpi&) = delete;

  /// What mpirun saw: <its words> and two variables. The exit code goes into `code`.
  std::string run(const remote::Command& command, int& code, const std::string& setting = "") const {
    const fs::path output = directory_ / "output";
    const std::string line = "exec >" + remote::quote(output.string()) +
                             " 2>&1; PATH=" + remote::quote((directory_ / "bin").string()) +
                             ":$PATH JACKAL_MPI_HOSTFILE=/hosts " + setting + " " +
                             remote::quote(command.argv);
    const int status = std::system(line.c_str());
    code = WEXITSTATUS(status);
    return must(read_file(output, 1 << 20));
  }

private:
  void program(const std::string& name, const std::string& body) const {
    const fs::path path = directory_ / "bin" / name;
    std::ofstream(path) << "#!/bin/sh\n" << body;
    fs::permissions(path, fs::perms::owner_all);
  }

  fs::path directory_;
};

}  // namespace

TEST_CASE("mpi: Open MPI 4 is started without the flag that it does not know", "[mpi]") {
  int code = -1;
  const Job job = job_of({"--backend", "mpi", "--cwd", "/my dir", "--mpi-arg", "'a b' \\$x"});
  const std::string seen = FakeMpi("mpirun (Open MPI) 4.1.4").run(mpirun_of(job).command, code);
  CHECK(seen.rfind("<--hostfile></hosts><-x><MLX_MPI_LIBNAME><-x><DYLD_LIBRARY_PATH><--wdir></my dir><-x>",
                   0) == 0);
  CHECK(seen.substr(seen.find("<a b>")) == "<a b><$x><--><true> libmpi.so.40 unset");
  CHECK(code == 0);
}

TEST_CASE("mpi: Open MPI 5 is told not to hold output back until a line ends", "[mpi]") {
  int code = -1;
  const Job job = job_of({"--backend", "mpi"});
  const std::string seen = FakeMpi("mpirun (Open MPI) 5.0.3").run(mpirun_of(job).command, code);
  CHECK(seen.find("<--output><:raw>") != std::string::npos);
}

TEST_CASE("mpi: the user's library name stays", "[mpi]") {
  int code = -1;
  const Job job = job_of({"--backend", "mpi"});
  const std::string seen =
      FakeMpi("mpirun (Open MPI) 4.1.4").run(mpirun_of(job).command, code, "MLX_MPI_LIBNAME=mine");
  CHECK(seen.find(" mine unset") != std::string::npos);
  CHECK(seen.find("DYLD_LIBRARY_PATH") == std::string::npos);
}

TEST_CASE("mpi: another mpirun is refused, and a missing one is code 127", "[mpi]") {
  int code = -1;
  const Job job = job_of({"--backend", "mpi"});
  CHECK(FakeMpi("HYDRA build details").run(mpirun_of(job).command, code).find("is not Open MPI's") !=
        std::string::npos);
  CHECK(code == 64);
  remote::Command command = mpirun_of(job).command;
  command.argv[0] = "/bin/sh";
  CHECK(FakeMpi("x").run(command, code, "PATH=/nowhere").find("there is none in PATH=/nowhere") !=
        std::string::npos);
  CHECK(code == 127);
}

TEST_CASE("mpi: the ssh configuration reaches mpirun and not the ranks", "[mpi]") {
  const Job job = job_of({"--backend", "mpi", "--ssh-config", "cfg"});
  CHECK(variable(mpirun_of(job), "OMPI_MCA_plm_rsh_args") == "-F cfg");
  CHECK(variable(mpirun_of(job), "PRTE_MCA_plm_ssh_args") == "-F cfg");
  CHECK_FALSE(contains(mpirun_words(job), {"-x", "OMPI_MCA_plm_rsh_args"}));
}

}  // namespace jackal::launch
