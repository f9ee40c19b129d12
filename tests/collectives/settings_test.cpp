// What the environment asks of a group: transports, algorithms, a saved fabric.
#include "collectives/ranks.hpp"
#include "fabric/fabric.hpp"
#include "support/catch.hpp"

using jackal::Code;
using jackal::Dtype;
using jackal::Group;
using jackal::Op;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void sum_and_check(Group& group, const jackal::CallOptions& options = {}) {
  for (const std::size_t count : {1U, 1000U, 300000U}) {
    std::vector<int> data(count, 1);
    group.all_sum(data, data, options);
    if (data.front() != group.size() || data.back() != group.size()) throw std::runtime_error("wrong sum");
  }
}

const std::string kTwoHosts = R"({"hosts": [{"ssh": "a"}, {"ssh": "a"}, {"ssh": "b"}, {"ssh": "b"}]})";

}  // namespace

TEST_CASE("ranks of two hosts use memory within each and TCP between them, and all operations are right") {
  const ranks::Directory directory;
  ranks::run(ranks::Job(4, {{"JACKAL_HOSTFILE", directory.write("hosts", kTwoHosts)}}), [](Group& group) {
    sum_and_check(group);
    std::vector<int> word = {group.rank()};
    std::vector<int> all(4);
    group.all_gather(word, all);
    if (all != std::vector<int>{0, 1, 2, 3}) throw std::runtime_error("wrong order");
    for (int peer = 0; peer < 4; ++peer) {
      int got = -1;
      const int to = (group.rank() + peer) % 4;
      const int from = (group.rank() + 4 - peer) % 4;
      group.sendrecv(word.data(), 1, to, &got, 1, from, Dtype::int32);
      if (got != from) throw std::runtime_error("wrong message");
    }
    group.barrier();
  });
}

TEST_CASE("shared memory that is asked for where there is none is unavailable") {
  const ranks::Directory directory;
  const auto errors = ranks::errors(
      ranks::Job(4, {{"JACKAL_HOSTFILE", directory.write("hosts", kTwoHosts)}, {"JACKAL_TRANSPORT", "shm"}}),
      [](Group&) {});
  for (const auto& error : errors) {
    REQUIRE(error);
    CHECK(error->code() == Code::unavailable);
    CHECK(contains(error->what(), "share no memory: they are not on one host"));
  }
}

TEST_CASE("an algorithm may be asked for, by variable or call, on every transport") {
  const char* transport = GENERATE("shm", "tcp");
  const char* algorithm = GENERATE("ring", "mesh", "tree");
  ranks::run(ranks::Job(3, {{"JACKAL_TRANSPORT", transport}, {"JACKAL_ALGORITHM", algorithm}}),
             [](Group& group) {
               sum_and_check(group);
               group.barrier();  // whether or not the algorithm can do it
             });
  ranks::run(ranks::Job(3, {{"JACKAL_TRANSPORT", transport}}), [algorithm](Group& group) {
    jackal::CallOptions options;
    options.algorithm = algorithm;
    sum_and_check(group, options);
  });
}

TEST_CASE("an algorithm that does not exist is refused with those that do, and the group lives on") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(ranks::Job(2, {{"JACKAL_TRANSPORT", transport}}), [](Group& group) {
    try {
      jackal::CallOptions options;
      options.algorithm = "telepathy";
      group.barrier(options);
      throw std::runtime_error("not refused");
    } catch (const jackal::Error& error) {
      if (error.code() != Code::invalid_argument || !contains(error.what(), "there are: auto, "))
        throw std::runtime_error(error.what());
    }
    group.barrier();
  });
  for (const auto& error : ranks::errors(ranks::Job(2, {{"JACKAL_ALGORITHM", "telepathy"}}), [](Group&) {})) {
    REQUIRE(error);
    CHECK(error->code() == Code::invalid_argument);
    CHECK(contains(error->what(), "JACKAL_ALGORITHM is \"telepathy\", expected one of: auto, "));
  }
}

TEST_CASE("ranks that are told different things say so when they meet") {
  const ranks::Job job(2);
  const auto reports = ranks::fork_and_run(2, [&](int rank) -> std::string {
    ranks::Variables variables = job.variables(rank);
    if (rank == 1) variables["JACKAL_ALGORITHM"] = "ring";
    try {
      jackal::init(ranks::options(variables));
    } catch (const jackal::Error& error) {
      return std::string(jackal::code_name(error.code())) + ": " + error.what();
    }
    return "no error";
  });
  for (const std::string& report : reports) {
    CHECK(contains(report, "mismatch: the ranks' variables differ"));
    CHECK(contains(report, "JACKAL_ALGORITHM=ring"));
  }
}

TEST_CASE(
    "a saved fabric decides, also where it leaves links unused; one with links that are not there is "
    "refused") {
  using jackal::collectives::Fabric;
  Fabric fabric;
  fabric.ranks = 3;
  fabric.paths.resize(9);
  const auto link = [&fabric](std::size_t from, std::size_t to) {
    fabric.paths[from * 3 + to] = fabric.paths[to * 3 + from] = {1, 20000, 1000000, "tcp"};
  };
  link(0, 1);
  link(1, 2);  // a chain
  fabric.host_of = {0, 0, 0};
  fabric.cores_of_host = {2};
  fabric.step_ns = 1000;
  fabric.copy_bytes_per_ms = fabric.reduce_bytes_per_ms = 1000000;
  const ranks::Directory directory;
  const std::string file = directory.write("fabric", write_fabric(fabric));
  ranks::run(ranks::Job(3, {{"JACKAL_TRANSPORT", "tcp"}, {"JACKAL_FABRIC", file}}), [](Group& group) {
    sum_and_check(group);
    group.barrier();
    Group part = group.split(0, 0);
    sum_and_check(part);
  });
}

TEST_CASE("where nothing that is measured may decide, results are those of any other group alike") {
  const auto once = [] {
    std::vector<float> result(5000);
    ranks::run(ranks::Job(4, {{"JACKAL_TRANSPORT", "tcp"}, {"JACKAL_DETERMINISTIC", "1"}}),
               [&](Group& group) {
                 std::vector<float> data(5000);
                 for (std::size_t i = 0; i < data.size(); ++i)
                   data[i] = 1.0F / static_cast<float>(1 + i * static_cast<std::size_t>(1 + group.rank()));
                 group.all_reduce(data, data, Op::average);
                 if (group.rank() == 2) result = data;
               });
    return result;
  };
  CHECK(once() == once());
}
