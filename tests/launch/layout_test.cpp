#include "launch/layout.hpp"

#include <random>

#include "launch/fixture.hpp"

namespace jackal::launch {
namespace {

// Three hosts, a device for every pair.
const std::string kMesh =
    R"({"backend": "jaccl", "envs": ["A=file", "B=file"], "hosts": [
    {"ssh": "m1", "ips": ["10.0.0.1"], "rdma": [null, "rdma_en5", "rdma_en4"]},
    {"ssh": "m2", "ips": ["10.0.0.2"], "rdma": ["rdma_en5", null, "rdma_en3"]},
    {"ssh": "m3", "ips": ["10.0.0.3"], "rdma": ["rdma_en4", "rdma_en3", null]}]})";

// Four hosts in a ring: 1-2-3-4-1.
const std::string kRing =
    R"({"backend": "jaccl-ring", "hosts": [
    {"ssh": "m1", "ips": ["10.0.0.1"], "rdma": [null, "rdma_en2", null, "rdma_en3"]},
    {"ssh": "m2", "ips": ["10.0.0.2"], "rdma": ["rdma_en2", null, "rdma_en3", null]},
    {"ssh": "m3", "ips": ["10.0.0.3"], "rdma": [null, "rdma_en3", null, "rdma_en2"]},
    {"ssh": "m4", "ips": ["10.0.0.4"], "rdma": ["rdma_en3", null, "rdma_en2", null]}]})";

}  // namespace

TEST_CASE("the host is this machine when none is named", "[layout]") {
  const Layout layout = layout_of({"-n", "2"});
  REQUIRE(layout.hosts.size() == 1);
  CHECK(layout.hosts[0] == Host{"127.0.0.1", true, {0, 1}});
  CHECK(layout.ranks == std::vector<Rank>{{0, 0, 2}, {0, 1, 2}});
  CHECK(layout.backend == hostfile::Backend::ring);
}

TEST_CASE("hosts are repeated one after the other", "[layout]") {
  const Layout layout = layout_of({"--hosts", "a,b", "-n", "2"});
  CHECK(host_of_rank(layout) == Words{"a", "a", "b", "b"});
  CHECK(layout.ranks == std::vector<Rank>{{0, 0, 2}, {0, 1, 2}, {1, 0, 2}, {1, 1, 2}});
  CHECK(layout.hosts[1] == Host{"b", false, {2, 3}});
}

TEST_CASE("a host named twice is one host", "[layout]") {
  const Layout layout = layout_of({"--hosts", "a,b,a"});
  CHECK(layout.hosts.size() == 2);
  CHECK(layout.ranks == std::vector<Rank>{{0, 0, 2}, {1, 0, 1}, {0, 1, 2}});
}

TEST_CASE("the names of this machine are one host", "[layout]") {
  const Layout layout = layout_of({"--hosts", "localhost,127.0.0.1,[::1],user@localhost"});
  REQUIRE(layout.hosts.size() == 2);
  CHECK(layout.hosts[0] == Host{"localhost", true, {0, 1, 2}});
  CHECK_FALSE(layout.hosts[1].this_machine);
}

TEST_CASE("a host named by its IP has that address", "[layout]") {
  const Layout layout = layout_of({"--hosts", "10.0.0.7,mac,[fe80::7]"});
  CHECK(layout.hostfile.hosts[0].ips == Words{"10.0.0.7"});
  CHECK(layout.hostfile.hosts[1].ips.empty());
  CHECK(layout.hostfile.hosts[2].ips == Words{"fe80::7"});
}

TEST_CASE("ranges name hosts, and exclude leaves some out", "[layout]") {
  CHECK(host_of_rank(layout_of({"--hosts", "mac[1-4]", "--exclude", "mac[2-3]"})) == Words{"mac1", "mac4"});
  CHECK(must_fail(try_layout({"--hosts", "mac1", "--exclude", "mac1"})).where == "--exclude");
  CHECK(must_fail(try_layout({"--hosts", "mac1", "--exclude", "mac9"})).code == ErrorCode::usage);
}

TEST_CASE("a host left out takes its column of the matrix along", "[layout]") {
  const Layout layout = layout_of({"--exclude", "m2"}, kMesh);
  CHECK(host_of_rank(layout) == Words{"m1", "m3"});
  CHECK(layout.hostfile.hosts[0].rdma == std::vector<Words>{{}, {"rdma_en4"}});
  CHECK(layout.hostfile.hosts[1].rdma == std::vector<Words>{{"rdma_en4"}, {}});
}

TEST_CASE("leaving a host out of a ring must not break it", "[layout]") {
  const Error error = must_fail(try_layout({"--exclude", "m2"}, kRing));
  CHECK(error.code == ErrorCode::bad_input);
  CHECK(error.what == "no RDMA device is listed from m1 to m3");
}

TEST_CASE("the host file says which backend, and the flag beats it", "[layout]") {
  CHECK(layout_of({}, kMesh).backend == hostfile::Backend::jaccl);
  CHECK(layout_of({"--backend", "ring"}, kMesh).backend == hostfile::Backend::ring);
  CHECK(layout_of({}, R"([{"ssh": "a"}])").backend == hostfile::Backend::ring);
  CHECK(layout_of({}, R"({"backend": "jackal", "hosts": [{"ssh": "a"}]})").backend ==
        hostfile::Backend::jackal);
}

TEST_CASE("the host file's variables come first, so the flag's win", "[layout]") {
  CHECK(layout_of({"--env", "A=flag"}, kMesh).env ==
        remote::Environment{{"A", "file"}, {"B", "file"}, {"A", "flag"}});
}

TEST_CASE("-n repeats the entries of a host file and their devices", "[layout]") {
  const Layout layout = layout_of({"-n", "2", "--backend", "jackal"}, kMesh);
  CHECK(host_of_rank(layout) == Words{"m1", "m1", "m2", "m2", "m3", "m3"});
  CHECK(layout.hostfile.hosts[0].rdma ==
        std::vector<Words>{{}, {}, {"rdma_en5"}, {"rdma_en5"}, {"rdma_en4"}, {"rdma_en4"}});
  CHECK(layout.hostfile.hosts[3].rdma ==
        std::vector<Words>{{"rdma_en5"}, {"rdma_en5"}, {}, {}, {"rdma_en3"}, {"rdma_en3"}});
}

TEST_CASE("-n is refused for the jaccl backends", "[layout]") {
  CHECK(must_fail(try_layout({"-n", "2"}, kMesh)).where == "--repeat-hosts");
  CHECK(must_fail(try_layout({"-n", "2"}, kRing)).where == "--repeat-hosts");
  CHECK(layout_of({"-n", "1"}, kMesh).size() == 3);
}

TEST_CASE("the jaccl backends need the devices of a host file", "[layout]") {
  const Error no_file = must_fail(try_layout({"--backend", "jaccl", "--hosts", "a,b"}));
  CHECK(no_file.code == ErrorCode::usage);
  CHECK(no_file.where == "--backend jaccl");
  const Error no_matrix = must_fail(try_layout({"--backend", "jaccl"}, R"([{"ssh": "a"}, {"ssh": "b"}])"));
  CHECK(no_matrix.code == ErrorCode::bad_input);
  CHECK(no_matrix.what == "no RDMA device is listed from a to b");
  CHECK(must_fail(try_layout({"--backend", "jaccl"}, kRing)).what ==
        "no RDMA device is listed from m1 to m3");
}

TEST_CASE("a ragged matrix that nobody uses does no harm", "[layout]") {
  const Layout layout =
      layout_of({"--backend", "ring", "--exclude", "b"},
                R"([{"ssh": "a", "rdma": [null]}, {"ssh": "b"}, {"ssh": "c", "rdma": ["x", null, null]}])");
  CHECK(host_of_rank(layout) == Words{"a", "c"});
}

// Whatever the hosts: ranks of a host count from 0 in rank order, and every rank is listed at its host once.
TEST_CASE("ranks and hosts agree with each other for any list of hosts", "[layout]") {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::string list;
    for (auto count = 1 + random() % 8; count > 0; --count) {
      list += (list.empty() ? "n" : ",n") + std::to_string(random() % 4);
    }
    const Layout layout = layout_of({"--hosts", list, "-n", std::to_string(1 + random() % 4)});
    REQUIRE(layout.hostfile.hosts.size() == layout.ranks.size());
    std::size_t listed = 0;
    for (const Host& host : layout.hosts) {
      listed += host.ranks.size();
      for (std::size_t local = 0; local < host.ranks.size(); ++local) {
        const auto rank = static_cast<std::size_t>(host.ranks[local]);
        REQUIRE(layout.hostfile.hosts[rank].ssh == host.ssh);
        REQUIRE(layout.ranks[rank].local_rank == static_cast<int>(local));
        REQUIRE(layout.ranks[rank].local_size == static_cast<int>(host.ranks.size()));
      }
    }
    REQUIRE(listed == layout.ranks.size());
  }
}

TEST_CASE("flags without effect are announced", "[layout]") {
  CHECK(layout_of({"--backend", "jackal", "-p", "5000"}).notes ==
        Words{"--starting-port has no effect with backend jackal"});
  CHECK(layout_of({"--nccl-port", "1", "--mpi-arg", "x"}).notes ==
        Words{"--nccl-port has no effect with backend ring", "--mpi-arg has no effect with backend ring"});
  CHECK(layout_of({"-p", "5000", "--connections-per-ip", "2"}).notes.empty());
}

TEST_CASE("what mpirun cannot do is refused", "[layout]") {
  CHECK(must_fail(try_layout({"--backend", "mpi", "--pty"})).where == "--pty");
  CHECK(must_fail(try_layout({"--backend", "mpi", "--ssh-config", "a b"})).where == "--ssh-config");
}

}  // namespace jackal::launch
