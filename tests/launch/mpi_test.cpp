#include "launch/mpi.hpp"

#include <algorithm>

#include "launch/fixture.hpp"

namespace jackal::launch {
namespace {

RankJob mpirun_of(const Job& job) {
  REQUIRE(job.through_mpirun);
  REQUIRE(job.ranks.size() == 1);
  return job.ranks[0];
}

/// The words after `sh -c SCRIPT mpirun`.
Words mpirun_words(const Job& job) {
  const Words& argv = mpirun_of(job).command.argv;
  REQUIRE(argv.size() > 4);
  CHECK(argv[0] == "sh");
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

TEST_CASE("mpi: the ssh configuration reaches mpirun and not the ranks", "[mpi]") {
  const Job job = job_of({"--backend", "mpi", "--ssh-config", "cfg"});
  CHECK(variable(mpirun_of(job), "OMPI_MCA_plm_rsh_args") == "-F cfg");
  CHECK(variable(mpirun_of(job), "PRTE_MCA_plm_ssh_args") == "-F cfg");
  CHECK_FALSE(contains(mpirun_words(job), {"-x", "OMPI_MCA_plm_rsh_args"}));
}

}  // namespace jackal::launch
