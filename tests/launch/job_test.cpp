#include "launch/job.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "launch/fixture.hpp"
#include "launch/ports.hpp"

namespace jackal::launch {
namespace {

// The bytes that these tests expect were taken from mlx.launch of MLX 0.32.4, run with a stand-in for ssh.
const std::string kTwoAddresses =
    R"([{"ssh": "n1", "ips": ["10.0.0.1", "10.0.1.1"]}, {"ssh": "n2", "ips": ["10.0.0.2", "10.0.1.2"]}])";

const std::string kMesh =
    R"({"backend": "jaccl", "envs": ["A=file"], "hosts": [
    {"ssh": "n1", "ips": ["10.0.0.1"], "rdma": [null, "rdma_en5", ["rdma_en4", "rdma_é3"]]},
    {"ssh": "n2", "ips": [], "rdma": ["rdma_en5", null, "rdma_en3"]},
    {"ssh": "n3", "ips": ["10.0.0.3"], "rdma": [["rdma_en4", "rdma_en6"], "rdma_en3", null]}]})";

const std::string kMeshDevices =
    R"([[null, "rdma_en5", ["rdma_en4", "rdma_\u00e93"]], ["rdma_en5", null, "rdma_en3"], )"
    R"([["rdma_en4", "rdma_en6"], "rdma_en3", null]])"
    "\n";

std::vector<NodeFacts> with_busy(std::vector<NodeFacts> facts, std::size_t host,
                                 std::vector<std::uint16_t> ports) {
  facts.at(host).busy_ports = std::move(ports);
  return facts;
}

int port_of(const std::string& address) { return std::stoi(address.substr(address.rfind(':') + 1)); }

}  // namespace

TEST_CASE("ring: one rank alone gets no file", "[job]") {
  const Job job = job_of({"-n", "1"});
  REQUIRE(job.ranks.size() == 1);
  CHECK_FALSE(file_in(job.ranks[0], "MLX_HOSTFILE").has_value());
  CHECK(variable(job.ranks[0], "MLX_RANK") == "0");
  CHECK_FALSE(variable(job.ranks[0], "MLX_RING_VERBOSE").has_value());
}

TEST_CASE("ring: ports count up across the ranks", "[job]") {
  const Job job = job_of({"-n", "2"});
  for (const RankJob& rank : job.ranks) {
    CHECK(file_in(rank, "MLX_HOSTFILE") == "[[\"127.0.0.1:32323\"], [\"127.0.0.1:32324\"]]\n");
  }
  CHECK(variable(job.ranks[1], "MLX_RANK") == "1");
}

TEST_CASE("ring: every address of every host gets its connections", "[job]") {
  const Job job = job_of({"--connections-per-ip", "2", "-p", "5000", "--verbose"}, kTwoAddresses);
  CHECK(file_in(job.ranks[1], "MLX_HOSTFILE") ==
        "[[\"10.0.0.1:5000\", \"10.0.0.1:5001\", \"10.0.1.1:5002\", \"10.0.1.1:5003\"], "
        "[\"10.0.0.2:5004\", \"10.0.0.2:5005\", \"10.0.1.2:5006\", \"10.0.1.2:5007\"]]\n");
  CHECK(variable(job.ranks[0], "MLX_RING_VERBOSE") == "1");
}

TEST_CASE("ring: a host without addresses takes part at the one we reached", "[job]") {
  CHECK(file_in(job_of({"--hosts", "a,b"}).ranks[0], "MLX_HOSTFILE") ==
        "[[\"10.0.0.1:32323\"], [\"10.0.0.2:32324\"]]\n");
}

TEST_CASE("ring: uneven numbers of addresses are announced", "[job]") {
  const Job job = job_of({}, R"([{"ssh": "a", "ips": ["10.0.0.1", "10.0.1.1"]}, {"ssh": "b"}])");
  CHECK(job.notes == Words{"a has 2 addresses and b has 1: MLX's ring wants the same number on every host"});
}

TEST_CASE("jaccl: the matrix, and the coordinator at rank 0", "[job]") {
  const Job job = job_of({"--env", "A=flag"}, kMesh);
  for (const RankJob& rank : job.ranks) {
    CHECK(file_in(rank, "MLX_IBV_DEVICES") == kMeshDevices);
    CHECK(variable(rank, "MLX_JACCL_COORDINATOR") == "10.0.0.1:32323");
    CHECK(variable(rank, "A") == "flag");
    CHECK_FALSE(variable(rank, "MLX_JACCL_RING").has_value());
    CHECK_FALSE(file_in(rank, "MLX_HOSTFILE").has_value());
  }
}

TEST_CASE("jaccl-ring: as jaccl, with the ring switched on", "[job]") {
  const Job job = job_of({"--backend", "jaccl-ring", "-p", "7000"}, kMesh);
  CHECK(file_in(job.ranks[2], "MLX_IBV_DEVICES") == kMeshDevices);
  CHECK(variable(job.ranks[2], "MLX_JACCL_COORDINATOR") == "10.0.0.1:7000");
  CHECK(variable(job.ranks[2], "MLX_JACCL_RING") == "1");
  CHECK(variable(job.ranks[2], "MLX_RANK") == "2");
}

TEST_CASE("nccl: rank 0's address and port, the size, and a device a rank", "[job]") {
  const Job job = job_of({"--backend", "nccl", "--hosts", "10.0.0.1,10.0.0.2", "-n", "2", "--verbose"});
  Words devices;
  for (const RankJob& rank : job.ranks) {
    CHECK(variable(rank, "NCCL_HOST_IP") == "10.0.0.1");
    CHECK(variable(rank, "NCCL_PORT") == "12345");
    CHECK(variable(rank, "MLX_WORLD_SIZE") == "4");
    CHECK(variable(rank, "NCCL_DEBUG") == "INFO");
    devices.push_back(variable(rank, "CUDA_VISIBLE_DEVICES").value_or("none"));
  }
  CHECK(devices == Words{"0", "1", "0", "1"});
  CHECK_FALSE(variable(job_of({"--backend", "nccl"}).ranks[0], "NCCL_DEBUG").has_value());
}

TEST_CASE("jackal: nothing of MLX's but the rank", "[job]") {
  const Job job = job_of({"--backend", "jackal", "-n", "2"});
  for (const remote::File& file : job.ranks[0].command.files) {
    CHECK(file.variable.rfind("JACKAL_", 0) == 0);
  }
  CHECK(variable(job.ranks[1], "MLX_RANK") == "1");
}

TEST_CASE("every backend gets our own variables", "[job]") {
  for (const char* backend : {"ring", "nccl", "jackal"}) {
    const Job job = job_of({"--backend", backend, "--hosts", "a,b", "-n", "2"});
    const RankJob& rank = job.ranks[3];
    CHECK(variable(rank, "JACKAL_RANK") == "3");
    CHECK(variable(rank, "JACKAL_SIZE") == "4");
    CHECK(variable(rank, "JACKAL_LOCAL_RANK") == "1");
    CHECK(variable(rank, "JACKAL_LOCAL_SIZE") == "2");
    CHECK(variable(rank, "JACKAL_JOB") == "job-1");
    CHECK(variable(rank, "JACKAL_COORDINATOR") == job.coordinator);
    CHECK(file_in(rank, "JACKAL_SECRET_FILE") == std::string(32, 's'));
    CHECK(rank.host == 1);
    CHECK(rank.rank == 3);
  }
}

TEST_CASE("the host file for our own ranks has one entry a rank, with its address", "[job]") {
  const Job job = job_of({"--hosts", "a,b", "-n", "2", "--env", "TOKEN=hush"});
  const std::string json = file_in(job.ranks[0], "JACKAL_HOSTFILE").value_or("");
  const hostfile::Hostfile file = file_of(json);
  REQUIRE(file.hosts.size() == 4);
  CHECK(file.hosts[1].ssh == "a");
  CHECK(file.hosts[2].ssh == "b");
  CHECK(file.hosts[2].ips == Words{"10.0.0.2"});
  CHECK(file.backend == hostfile::Backend::ring);
  CHECK(json.find("hush") == std::string::npos);
}

TEST_CASE("the coordinator is on a random port that nobody has", "[job]") {
  std::set<int> seen;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const int port = must(random_port(seed, {}, "a"));
    CHECK(port >= 20'000);
    CHECK(port <= 32'000);
    seen.insert(port);
  }
  CHECK(seen.size() > 450);
  const std::uint16_t port = must(random_port(7, {}, "a"));
  CHECK(must(random_port(7, {}, "a")) == port);
  CHECK(must(random_port(7, {port}, "a")) != port);
}

TEST_CASE("the only free port is found, and none is an error that names the host", "[job]") {
  std::set<std::uint16_t> taken;
  for (std::uint16_t port = 20'000; port <= 32'000; ++port) taken.insert(port);
  CHECK(must_fail(random_port(7, taken, "mac1")).where == "mac1");
  taken.erase(31'999);
  CHECK(must(random_port(7, taken, "mac1")) == 31'999);
}

TEST_CASE("the coordinator keeps off the ports of the ring and the busy ones", "[job]") {
  const Layout layout = layout_of({"-n", "2"});
  const int free = port_of(job_of({"-n", "2"}).coordinator);
  const auto port = static_cast<std::uint16_t>(free);
  CHECK(port_of(job_of({"-n", "2"}, std::nullopt, with_busy(facts_for(layout), 0, {port})).coordinator) !=
        free);
  CHECK(port_of(job_of({"-n", "2", "-p", std::to_string(free)}).coordinator) > free + 1);
}

// Whatever is busy: no port of the job is, no two of its ports on one host are the same, none beyond 65535.
TEST_CASE("no port of a job is taken already", "[job]") {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    const Words args{"--hosts", "a,b,c", "-n", std::to_string(1 + random() % 3)};
    const Layout layout = layout_of(args);
    std::vector<NodeFacts> facts = facts_for(layout);
    for (NodeFacts& host : facts) {
      for (int i = 0; i < 40; ++i) {
        host.busy_ports.push_back(static_cast<std::uint16_t>(32'320 + random() % 80));
      }
    }
    const Job job = job_of(args, std::nullopt, facts);
    const auto ring = nlohmann::json::parse(file_in(job.ranks[0], "MLX_HOSTFILE").value_or(""));
    REQUIRE(ring.size() == layout.ranks.size());
    for (std::size_t rank = 0; rank < ring.size(); ++rank) {
      const int port = port_of(ring[rank][0]);
      const std::vector<std::uint16_t>& busy = facts[layout.ranks[rank].host].busy_ports;
      REQUIRE(std::count(busy.begin(), busy.end(), port) == 0);
      REQUIRE(port == port_of(ring[0][0]) + static_cast<int>(rank));
    }
  }
}

TEST_CASE("the usual port moves when any of the ring's is taken, and says so", "[job]") {
  const Layout layout = layout_of({"--hosts", "a,b"});
  const Job job = job_of({"--hosts", "a,b"}, std::nullopt, with_busy(facts_for(layout), 1, {32324, 32326}));
  CHECK(file_in(job.ranks[0], "MLX_HOSTFILE") == "[[\"10.0.0.1:32324\"], [\"10.0.0.2:32325\"]]\n");
  CHECK(job.notes == Words{"port 32324 is taken on b: using 32324 in place of 32323"});
}

TEST_CASE("busy ports are asked for where ranks will listen", "[job]") {
  const auto asked = [](std::vector<std::string> args) {
    args.insert(args.end(), {"--hosts", "a,b"});
    const Layout layout = layout_of(args);
    return std::pair{hands_out_ports(layout, 0), hands_out_ports(layout, 1)};
  };
  CHECK(asked({}) == std::pair{true, true});
  CHECK(asked({"--backend", "nccl"}) == std::pair{true, false});
  CHECK(!hands_out_ports(layout_of({"--hosts", "a"}), 0));
}

TEST_CASE("a port that is taken on another host than its own does not matter", "[job]") {
  const Layout layout = layout_of({"--hosts", "a,b"});
  CHECK(job_of({"--hosts", "a,b"}, std::nullopt, with_busy(facts_for(layout), 0, {32324})).notes.empty());
}

TEST_CASE("a port that the user gave is an error when it is taken", "[job]") {
  const Layout layout = layout_of({"--hosts", "a,b"});
  const std::vector<NodeFacts> busy = with_busy(facts_for(layout), 1, {5001});
  const Error error = must_fail(try_job({"--hosts", "a,b", "-p", "5000"}, std::nullopt, busy));
  CHECK(error.code == ErrorCode::usage);
  CHECK(error.where == "--starting-port");
  CHECK(error.what == "port 5001 is taken on b");
}

TEST_CASE("the ports of jaccl and nccl move or are refused likewise", "[job]") {
  const std::vector<NodeFacts> jaccl = with_busy(facts_for(layout_of({}, kMesh)), 0, {32323, 32324});
  CHECK(variable(job_of({}, kMesh, jaccl).ranks[1], "MLX_JACCL_COORDINATOR") == "10.0.0.1:32325");
  const std::vector<NodeFacts> nccl = with_busy(facts_for(layout_of({})), 0, {12345});
  CHECK(variable(job_of({"--backend", "nccl"}, std::nullopt, nccl).ranks[0], "NCCL_PORT") == "12346");
  CHECK(must_fail(try_job({"--backend", "nccl", "--nccl-port", "12345"}, std::nullopt, nccl)).where ==
        "--nccl-port");
}

TEST_CASE("ports end at 65535", "[job]") {
  CHECK(must_fail(try_job({"-n", "2", "-p", "65535"})).where == "--starting-port");
  CHECK(file_in(job_of({"-n", "2", "-p", "65534"}).ranks[0], "MLX_HOSTFILE") ==
        "[[\"127.0.0.1:65534\"], [\"127.0.0.1:65535\"]]\n");
}

TEST_CASE("Python does not keep its output to itself, unless told to", "[job]") {
  CHECK(variable(job_of({}).ranks[0], "PYTHONUNBUFFERED") == "1");
  CHECK(variable(job_of({"--env", "PYTHONUNBUFFERED="}).ranks[0], "PYTHONUNBUFFERED") == "");
}

TEST_CASE("the size of the terminal is exported when there is one", "[job]") {
  Options options = options_of({"true"});
  const Layout layout = layout_of({});
  const auto rank = [&] { return must(plan_job(options, layout, facts_for(layout), identity())).ranks[0]; };
  options.surroundings.columns = 120;
  options.surroundings.lines = 40;
  CHECK(variable(rank(), "COLUMNS") == "120");
  CHECK(variable(rank(), "LINES") == "40");
  options.surroundings.columns = 0;
  CHECK_FALSE(variable(rank(), "COLUMNS").has_value());
}

TEST_CASE("the user's COLUMNS and LINES stay", "[job]") {
  Options options = options_of({"true"});
  options.surroundings.columns = 120;
  options.surroundings.lines = 40;
  const Layout layout = layout_of({"--env", "COLUMNS=7"});
  const Job job = must(plan_job(options, layout, facts_for(layout), identity()));
  CHECK(variable(job.ranks[0], "COLUMNS") == "7");
  CHECK_FALSE(variable(job.ranks[0], "LINES").has_value());
}

TEST_CASE("what launch sets wins, says so once, and every name stands once", "[job]") {
  const Job job = job_of(
      {"-n", "2", "--env", "MLX_RANK=9", "--env", "MLX_HOSTFILE=mine", "--env", "A=1", "--env", "A=2"});
  CHECK(variable(job.ranks[1], "MLX_RANK") == "1");
  CHECK(variable(job.ranks[1], "A") == "2");
  CHECK_FALSE(variable(job.ranks[1], "MLX_HOSTFILE").has_value());
  CHECK(job.notes == Words{"MLX_HOSTFILE is launch's to set: the value given for it is not used",
                           "MLX_RANK is launch's to set: the value given for it is not used"});
  std::set<std::string> names;
  for (const auto& entry : job.ranks[1].command.environment) names.insert(entry.first);
  CHECK(names.size() == job.ranks[1].command.environment.size());
}

TEST_CASE("--cwd must exist, the current directory need not", "[job]") {
  Options options = options_of({"true"});
  options.surroundings.directory = "/here";
  const Layout layout = layout_of({});
  const auto rank = [&] { return must(plan_job(options, layout, facts_for(layout), identity())).ranks[0]; };
  CHECK(rank().command.directory == "/here");
  CHECK_FALSE(rank().directory_required);
  options.cwd = "/there";
  CHECK(rank().command.directory == "/there");
  CHECK(rank().directory_required);
}

TEST_CASE("--pty gives a terminal to rank 0 alone", "[job]") {
  const Job job = job_of({"-n", "2", "--pty"});
  CHECK(job.ranks[0].command.terminal);
  CHECK_FALSE(job.ranks[1].command.terminal);
}

TEST_CASE("--python is the first word everywhere", "[job]") {
  const Job job = job_of({"-n", "2", "--python", "/p y"});
  CHECK(job.ranks[0].command.argv == Words{"/p y", "true"});
  CHECK(job.ranks[1].command.argv == Words{"/p y", "true"});
}

TEST_CASE("files of one name hold the same bytes on every rank", "[job]") {
  const Job job = job_of({"--hosts", "a,b", "-n", "2"});
  for (const RankJob& rank : job.ranks) CHECK(rank.command.files == job.ranks[0].command.files);
}

}  // namespace jackal::launch
