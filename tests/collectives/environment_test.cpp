#include "env/environment.hpp"

#include "collectives/ranks.hpp"
#include "env/files.hpp"
#include "env/starters.hpp"
#include "support/catch.hpp"

using namespace jackal::collectives;
using ranks::Directory;
using Set = ranks::Variables;

namespace {

Environment read(Set variables) { return read_environment(ranks::options(std::move(variables)).variable); }

std::string refusal(Set variables, Code expected = Code::invalid_argument) {
  try {
    read(std::move(variables));
  } catch (const Error& error) {
    CHECK(error.code() == expected);
    CHECK(error.operation == "init");
    return error.what();
  }
  return "accepted";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string place(const Job& job) {
  return job.coordinator.host + " " + std::to_string(job.coordinator.port);
}

}  // namespace

TEST_CASE("nothing set is a group of one") {
  const Environment environment = read({});
  CHECK(environment.job.rank == 0);
  CHECK(environment.job.size == 1);
  CHECK_FALSE(environment.timeout);
  CHECK(environment.log == LogLevel::off);
}

TEST_CASE("what launch sets is taken before everything else") {
  const Directory directory;
  const std::string hosts = directory.write(
      "hosts", R"({"backend": "ring", "hosts": [{"ssh": "a"}, {"ssh": "b", "ips": ["10.0.0.2"]}]})");
  const std::string secret = directory.write("secret", std::string(32, 's'));
  const Environment environment = read({{"JACKAL_RANK", "1"},
                                        {"JACKAL_SIZE", "2"},
                                        {"JACKAL_COORDINATOR", "[fd00::1]:20001"},
                                        {"JACKAL_HOSTFILE", hosts},
                                        {"JACKAL_JOB", "j1"},
                                        {"JACKAL_SECRET_FILE", secret},
                                        {"JACKAL_TIMEOUT", "7"},
                                        {"JACKAL_LOG", "warn"},
                                        {"MLX_RANK", "0"},
                                        {"MLX_HOSTFILE", "/nonexistent"},
                                        {"OMPI_COMM_WORLD_RANK", "5"},
                                        {"OMPI_COMM_WORLD_SIZE", "6"}});
  const Job& job = environment.job;
  CHECK(job.source == "JACKAL_*");
  CHECK(job.rank == 1);
  CHECK(job.size == 2);
  CHECK(place(job) == "fd00::1 20001");
  CHECK(job.id == "j1");
  CHECK(job.secret == std::string(32, 's'));
  CHECK(job.hosts == std::vector<std::string>{"a", "b"});
  CHECK(environment.timeout == std::chrono::seconds(7));
  CHECK(environment.log == LogLevel::warn);
}

TEST_CASE("MLX's ring host file gives size and meeting place") {
  const Directory directory;
  const std::string ring =
      directory.write("ring", R"([["10.0.0.1:32323", "10.0.0.1:32324"], ["10.0.0.2:32325"]])");
  const Job job = read({{"MLX_RANK", "1"}, {"MLX_HOSTFILE", ring}}).job;
  CHECK(job.rank == 1);
  CHECK(job.size == 2);
  CHECK(place(job) == "10.0.0.1 32323");
  CHECK(read({{"MLX_RANK", "0"}, {"MLX_HOSTFILE", directory.write("one", "")}}).job.size == 1);
}

TEST_CASE("JACCL's variables win over MLX's, and ask for RDMA") {
  const Directory directory;
  const std::string matrix = directory.write("matrix", R"([[null, "rdma_en5"], [["rdma_en5"], null]])");
  Set set = {{"JACCL_RANK", "1"},
             {"MLX_RANK", "0"},
             {"MLX_IBV_DEVICES", matrix},
             {"JACCL_COORDINATOR", "10.0.0.1:5000"},
             {"MLX_JACCL_COORDINATOR", "10.0.0.9:1"}};
  const DeviceMatrix devices = {{{}, {"rdma_en5"}}, {{"rdma_en5"}, {}}};
  const Environment found = read(set);
  CHECK(found.job.rank == 1);
  CHECK(found.job.size == 2);
  CHECK(place(found.job) == "10.0.0.1 5000");
  CHECK(found.job.devices == devices);
  CHECK(found.settings.verbs_for == "the device matrix of JACCL_* and MLX_*");
  CHECK_FALSE(found.settings.prefer_ring);
  set["JACCL_RING"] = "1";
  CHECK(read(set).settings.prefer_ring);
  set["JACKAL_ALGORITHM"] = "mesh";
  CHECK_FALSE(read(set).settings.prefer_ring);
  SECTION("auto said aloud does without RDMA, too") {
    set["JACKAL_TRANSPORT"] = "auto";
    CHECK(read(set).job.devices == devices);
    CHECK(read(set).settings.verbs_for == "");
  }
  SECTION("another transport does not look at it") {
    set["JACKAL_TRANSPORT"] = "tcp";
    CHECK(read(set).job.devices.empty());
  }
  SECTION("the matrix may stand in the variable itself") {
    set["MLX_IBV_DEVICES"] = R"([[null, "rdma_en5"], ["rdma_en5", null]])";
    CHECK(read(set).job.devices == devices);
  }
}

TEST_CASE("a host file for jaccl asks for RDMA, too") {
  const Directory directory;
  const std::string hosts =
      directory.write("hosts", R"({"backend": "jaccl", "hosts": [{"ssh": "a"}, {"ssh": "b"}]})");
  Set set = {
      {"JACKAL_RANK", "0"}, {"JACKAL_SIZE", "2"}, {"JACKAL_COORDINATOR", "h:1"}, {"JACKAL_HOSTFILE", hosts}};
  CHECK(contains(refusal(set, Code::invalid_argument),
                 "the backend \"jaccl\" of JACKAL_HOSTFILE asks for RDMA, but there "
                 "is no device matrix"));
  set["JACKAL_TRANSPORT"] = "tcp";
  CHECK(read(set).job.size == 2);
}

TEST_CASE("the devices of a host file count for the backends that use them") {
  const Directory directory;
  const auto read_backend = [&](const std::string& backend) {
    const std::string hosts = directory.write(
        "hosts", R"({"backend": ")" + backend + R"(", "hosts": [{"ssh": "a", "rdma": [null, "rdma_en3"]}, )" +
                     R"({"ssh": "b", "rdma": [["rdma_en4"], null]}]})");
    return read({{"JACKAL_RANK", "0"},
                 {"JACKAL_SIZE", "2"},
                 {"JACKAL_COORDINATOR", "h:1"},
                 {"JACKAL_HOSTFILE", hosts}});
  };
  const DeviceMatrix devices = {{{}, {"rdma_en3"}}, {{"rdma_en4"}, {}}};
  CHECK(read_backend("jaccl").job.devices == devices);
  CHECK(read_backend("jaccl").settings.verbs_for == "the backend \"jaccl\" of JACKAL_HOSTFILE");
  CHECK(read_backend("jaccl-ring").settings.prefer_ring);
  CHECK(read_backend("jackal").job.devices == devices);
  CHECK(read_backend("jackal").settings.verbs_for == "");
  CHECK(read_backend("ring").job.devices.empty());
}

TEST_CASE("MLX's variables for NCCL are complete as well") {
  const Job job =
      read({{"MLX_RANK", "1"}, {"MLX_WORLD_SIZE", "4"}, {"NCCL_HOST_IP", "10.0.0.1"}, {"NCCL_PORT", "12345"}})
          .job;
  CHECK(job.rank == 1);
  CHECK(job.size == 4);
  CHECK(place(job) == "10.0.0.1 12345");
}

TEST_CASE("other starters' variables give rank and size, MASTER_* the meeting place") {
  const Set master = {{"MASTER_ADDR", "head"}, {"MASTER_PORT", "29500"}};
  const auto check = [&](const char* rank, const char* size) {
    Set set = master;
    set[rank] = "2";
    set[size] = "3";
    const Job job = read(set).job;
    CHECK(job.rank == 2);
    CHECK(job.size == 3);
    CHECK(place(job) == "head 29500");
    set["JACKAL_COORDINATOR"] = "other:7";
    CHECK(place(read(set).job) == "other 7");
  };
  check("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE");
  check("PMI_RANK", "PMI_SIZE");
  check("SLURM_PROCID", "SLURM_STEP_NUM_TASKS");
  check("RANK", "WORLD_SIZE");
}

TEST_CASE("Slurm needs nothing else: first node, and a port that the job's number gives") {
  const Job job = read({{"SLURM_PROCID", "1"},
                        {"SLURM_STEP_NUM_TASKS", "2"},
                        {"SLURM_STEP_NODELIST", "gpu[03-04]"},
                        {"SLURM_JOB_ID", "1000"},
                        {"SLURM_STEP_ID", "2"}})
                      .job;
  CHECK(place(job) == "gpu03 21002");
  CHECK(read({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}}).job.size == 1);
}

TEST_CASE("the first node of a Slurm list") {
  CHECK(first_slurm_node("n1") == "n1");
  CHECK(first_slurm_node("n1,n2") == "n1");
  CHECK(first_slurm_node("n[07-12,20],m1") == "n07");
  CHECK(first_slurm_node("n[3]") == "n3");
  CHECK(first_slurm_node("n[3,5]-ib,m") == "n3-ib");
  for (const char* bad : {"", ",", "n[", "n[]", "n[1", "n]"}) CHECK_FALSE(first_slurm_node(bad));
}

TEST_CASE("asked for several ranks but not told where they meet is an error") {
  CHECK(contains(refusal({{"JACKAL_SIZE", "2"}}), "JACKAL_SIZE is set, but JACKAL_RANK is not"));
  CHECK(contains(refusal({{"JACKAL_RANK", "0"}}), "JACKAL_RANK is set, but JACKAL_SIZE is not"));
  CHECK(contains(refusal({{"JACKAL_RANK", "0"}, {"JACKAL_SIZE", "2"}}), "JACKAL_COORDINATOR is not set"));
  CHECK(contains(refusal({{"MLX_RANK", "0"}}), "MLX_RANK is set, but MLX_HOSTFILE"));
  CHECK(contains(refusal({{"MLX_HOSTFILE", "/f"}}), "MLX_RANK is not"));
  CHECK(contains(refusal({{"WORLD_SIZE", "4"}}), "RANK is not"));
  CHECK(contains(refusal({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "2"}}),
                 "Open MPI has started 2 ranks, but nothing says where they meet"));
  CHECK(read({{"RANK", "private"}}).job.size == 1);
}

TEST_CASE("an incomplete set gives way to a complete one, and is mentioned") {
  const Environment environment = read({{"MLX_RANK", "0"},
                                        {"RANK", "1"},
                                        {"WORLD_SIZE", "2"},
                                        {"MASTER_ADDR", "head"},
                                        {"MASTER_PORT", "29500"}});
  CHECK(environment.job.size == 2);
  REQUIRE(environment.skipped.size() == 1);
  CHECK(contains(environment.skipped[0], "MLX_RANK is set, but"));
}

TEST_CASE("malformed variables are refused, not guessed") {
  const auto with = [](const std::string& name, const std::string& value) {
    Set set = {{"JACKAL_RANK", "0"}, {"JACKAL_SIZE", "2"}, {"JACKAL_COORDINATOR", "h:1"}};
    set[name] = value;
    return set;
  };
  CHECK(refusal(with("JACKAL_RANK", "one")) ==
        "JACKAL_RANK is \"one\", expected a whole number from 0 to 4095");
  CHECK(refusal(with("JACKAL_RANK", "2")) == "JACKAL_RANK is 2, but the group has 2 ranks, counted from 0");
  CHECK(refusal(with("JACKAL_RANK", "-1")) != "accepted");
  CHECK(refusal(with("JACKAL_SIZE", "0")) != "accepted");
  CHECK(refusal(with("JACKAL_SIZE", "2 ")) != "accepted");
  CHECK(refusal(with("JACKAL_COORDINATOR", "h")) ==
        "JACKAL_COORDINATOR is \"h\", expected ADDRESS:PORT or [IPV6-ADDRESS]:PORT");
  CHECK(refusal(with("JACKAL_TIMEOUT", "0")) != "accepted");
  CHECK(refusal(with("JACKAL_TIMEOUT", "1.5")) != "accepted");
  CHECK(refusal(with("JACKAL_LOG", "loud")) ==
        "JACKAL_LOG is \"loud\", expected one of: error, warn, info, debug");
  CHECK(refusal(with("JACKAL_DETERMINISTIC", "yes")) != "accepted");
  CHECK(refusal(with("JACKAL_TRANSPORT", "carrier pigeon")) != "accepted");
  CHECK(refusal(with("JACKAL_VERBS_LIMITS", "none")) != "accepted");
}

TEST_CASE("settings that ask for what is there are taken") {
  CHECK(contains(refusal({{"JACKAL_TRANSPORT", "verbs"},
                          {"JACKAL_RANK", "0"},
                          {"JACKAL_SIZE", "2"},
                          {"JACKAL_COORDINATOR", "h:1"}},
                         Code::invalid_argument),
                 "JACKAL_TRANSPORT=verbs asks for RDMA, but there is no device matrix"));
  CHECK(read({{"JACKAL_VERBS_LIMITS", "apple"}}).settings.verbs.apple_limits);
  CHECK(read({{"JACKAL_VERBS_CHECKSUM", "1"}}).settings.verbs.checksum);
  CHECK(read({{"JACKAL_TRANSPORT", "auto"}}).settings.transport == Transport::automatic);
  CHECK(read({{"JACKAL_TRANSPORT", "shm"}}).settings.transport == Transport::shm);
  CHECK(read({{"JACKAL_TRANSPORT", "tcp"}, {"JACKAL_FABRIC", ""}}).settings.transport == Transport::tcp);
  CHECK(read({{"JACKAL_ALGORITHM", "auto"}}).settings.algorithm == "");
  CHECK(read({{"JACKAL_ALGORITHM", "ring"}}).settings.algorithm == "ring");
  CHECK_FALSE(read({{"JACKAL_DETERMINISTIC", "0"}}).settings.deterministic);
  CHECK(read({{"JACKAL_DETERMINISTIC", "1"}}).settings.deterministic);
}

TEST_CASE("a saved fabric is read, and must be of this group") {
  const Directory directory;
  Fabric fabric;
  fabric.ranks = 2;
  fabric.paths = {{}, {1, 1000, 1000000, "tcp"}, {1, 1000, 1000000, "tcp"}, {}};
  fabric.host_of = {0, 1};
  fabric.cores_of_host = {2, 2};
  fabric.step_ns = fabric.copy_bytes_per_ms = fabric.reduce_bytes_per_ms = 1000;
  const std::string file = directory.write("fabric", write_fabric(fabric));
  Set set = {
      {"JACKAL_RANK", "0"}, {"JACKAL_SIZE", "2"}, {"JACKAL_COORDINATOR", "h:1"}, {"JACKAL_FABRIC", file}};
  CHECK(read(set).settings.fabric == fabric);
  set["JACKAL_SIZE"] = "3";
  CHECK(contains(refusal(set), "is of 2 ranks, but the group has 3"));
  set["JACKAL_FABRIC"] = directory.write("bad", "{");
  CHECK(contains(refusal(set), "JACKAL_FABRIC: "));
  set["JACKAL_FABRIC"] = directory / "none";
  CHECK(contains(refusal(set), "JACKAL_FABRIC: "));
}

TEST_CASE("files that the environment names are checked") {
  const Directory directory;
  const auto with = [](const std::string& name, const std::string& value) {
    Set set = {{"JACKAL_RANK", "0"}, {"JACKAL_SIZE", "2"}, {"JACKAL_COORDINATOR", "h:1"}};
    set[name] = value;
    return set;
  };
  CHECK(contains(refusal(with("JACKAL_HOSTFILE", directory / "none")), "JACKAL_HOSTFILE: "));
  CHECK(contains(refusal(with("JACKAL_HOSTFILE", directory.write("bad", "{"))), "is not valid JSON"));
  CHECK(contains(refusal(with("JACKAL_HOSTFILE", directory.write("three", R"({"hosts": [{}, {}, {}]})"))),
                 "has 3 hosts, expected one for each of 2 ranks"));
  CHECK(contains(refusal(with("JACKAL_SECRET_FILE", directory.write("short", "secret"))), "has 6 bytes"));
  CHECK(contains(refusal({{"MLX_RANK", "0"}, {"MLX_HOSTFILE", directory.write("r", R"([["a"], ["b:1"]])")}}),
                 "is not ADDRESS:PORT"));
}

TEST_CASE("a host file's addresses and cables are read, what is unknown stays empty") {
  const auto table = parse_host_table(R"({"backend": "jackal", "hosts": [
    {"ssh": "a", "ips": ["10.0.0.1", "a.local", "fe80::1%en0"], "links": [null,
      [{"ip": "192.168.0.1", "peer_ip": "192.168.0.2", "interface": "en3", "rdma": "rdma_en3"}, {}], null]},
    {"ssh": "b", "links": [[{"ip": "192.168.0.2", "domain_uuid": "x"}, {"ip": "fe80::2%en4"}], null, null]},
    {"ips": []}]})")
                         .value;
  REQUIRE(table);
  CHECK(table->ips == std::vector<std::vector<std::string>>{{"10.0.0.1", "fe80::1%en0"}, {}, {}});
  REQUIRE(table->links.size() == 3);
  REQUIRE(table->links[0][1].size() == 2);
  CHECK(table->links[0][1][0].ip == "192.168.0.1");
  CHECK(table->links[0][1][0].peer_ip == "192.168.0.2");
  CHECK(table->links[0][1][0].interface == "en3");
  CHECK(table->links[0][1][1].ip.empty());
  CHECK(table->links[1][0][1].ip == "fe80::2%en4");
  CHECK(table->links[2] == std::vector<std::vector<Link>>(3));
  CHECK(parse_host_table(R"({"hosts": [{}, {"links": []}]})").value->links.empty());
  CHECK(parse_host_table(R"({"hosts": [{}, {"links": [null, null]}]})").value->links.size() == 2);
}

TEST_CASE("addresses and cables that are not what they should be are described") {
  const auto problem = [](const std::string& second) {
    return parse_host_table(R"({"hosts": [{"links": [null, [{}]]}, )" + second + "]}").problem;
  };
  CHECK(problem(R"({"links": [[{}], null]})").empty());
  CHECK(problem("{}") == "entry 1 of its hosts has 0 links to entry 0, which has 1 back");
  CHECK(problem(R"({"ips": "10.0.0.1"})") ==
        "entry 1 of its hosts has \"ips\" that are not a list of at most 16");
  CHECK(problem(R"({"ips": [1]})") == "entry 1 of its hosts has \"ips\" that are not all strings");
  CHECK(problem(R"({"links": [null]})") ==
        "entry 1 of its hosts has \"links\" that are not a list with one entry for each of 2 hosts");
  CHECK(problem(R"({"links": {"0": 1}})") ==
        "entry 1 of its hosts has \"links\" that are not a list with one entry for each of 2 hosts");
  CHECK(problem(R"({"links": ["rdma_en3", null]})") ==
        "entry 1 of its hosts has \"links\" to entry 0 that are neither null nor a list of at most 16");
  CHECK(problem(R"({"links": [[7], null]})") ==
        "entry 1 of its hosts has a link to entry 0 that is not an object");
  CHECK(problem(R"({"links": [[{"ip": 7}], null]})") ==
        "entry 1 of its hosts has a link to entry 0 that has a \"ip\" that is not a string");
  for (const char* address : {"b.local", "10.0.0", "10.0.0.1%en0", "fe80::2%", "10.0.0.1 "})
    CHECK(problem(R"({"links": [[{"peer_ip": ")" + std::string(address) + R"("}], null]})") ==
          "entry 1 of its hosts has a link to entry 0 that has \"" + std::string(address) +
              "\" where a numeric address belongs");
}

TEST_CASE("JSON that is not what it should be is described") {
  CHECK(parse_host_table("[]").problem == "is not an object with a list of \"hosts\"");
  CHECK(parse_host_table("{}").problem == "has no list of \"hosts\"");
  CHECK(parse_host_table(R"({"hosts": []})").problem == "has 0 hosts, expected 1 to 4096");
  CHECK(parse_host_table(R"({"hosts": [1]})").problem == "entry 0 of its hosts is not an object");
  CHECK(parse_host_table(R"({"hosts": [{}, {"ssh": 1}]})").problem ==
        "entry 1 of its hosts has a \"ssh\" that is not a string");
  CHECK(parse_host_table("{\"hosts\": [{\"ssh\": \"\xff\"}]}").problem == "is not valid JSON");
  CHECK(parse_host_table(std::string(100000, '[')).problem != "");
  CHECK(parse_host_table(std::string(20, '[') + std::string(20, ']')).problem ==
        "is nested deeper than 16 levels");
  CHECK(parse_ring("{}").problem == "is not a list with one list of addresses for each rank");
  CHECK(parse_ring("[[]]").problem == "entry 0 is not a list of \"address:port\"");
  CHECK(parse_ring(R"([["a:1"], [7]])").problem == "entry 1 is not a list of \"address:port\"");
  CHECK(parse_ring(" \n").value == std::vector<std::string>{""});
  CHECK(parse_device_matrix("[[null, null], [null]]").problem == "is not a square matrix of devices");
  CHECK(parse_device_matrix(R"([[null, "a"], [["b"], null]])").value ==
        DeviceMatrix{{{}, {"a"}}, {{"b"}, {}}});
  CHECK(parse_device_matrix(R"([[null, 7], ["b", null]])").problem ==
        "in row 0 has at entry 1 neither null nor a device nor a list of at most 16 devices");
  CHECK(parse_device_matrix(R"([[null, [""]], ["b", null]])").problem != "");
}
