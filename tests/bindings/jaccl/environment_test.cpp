// What the environment says: whose names win, and that init() follows it.
#include "collectives/ranks.hpp"
#include "jobs.hpp"
#include "operations.hpp"
#include "support/catch.hpp"

using jaccl::Config;
using jobs::contains;
using jobs::Environment;
using jobs::Variables;

namespace {

const char* const kThree = R"([[null, "a", "b"], ["a", null, "b"], ["a", "b", null]])";
const char* const kTwo = R"([[null, "a"], ["b", null]])";

Config read(const Variables& variables) {
  const Environment environment(variables);
  return Config::from_env();
}

}  // namespace

TEST_CASE("the environment is read under MLX's names") {
  const ranks::Directory directory;
  const Config config = read({{"MLX_RANK", "2"},
                              {"MLX_IBV_DEVICES", directory.write("three", kThree)},
                              {"MLX_JACCL_COORDINATOR", "10.0.0.1:5000"}});
  CHECK(config.is_valid());
  CHECK(config.get_rank() == 2);
  CHECK(config.get_size() == 3);
  CHECK(config.get_coordinator() == "10.0.0.1:5000");
  CHECK_FALSE(config.get_prefer_ring());
  CHECK(read({{"MLX_JACCL_RING", "1"}}).get_prefer_ring());
}

TEST_CASE("JACCL's names win, one by one") {
  const ranks::Directory directory;
  const Variables mlx = {{"MLX_RANK", "1"},
                         {"MLX_IBV_DEVICES", directory.write("three", kThree)},
                         {"MLX_JACCL_COORDINATOR", "10.0.0.1:5000"}};
  const auto with = [&](const std::string& name, const std::string& value) {
    Variables all = mlx;
    all[name] = value;
    return read(all);
  };
  CHECK(with("JACCL_RANK", "2").get_rank() == 2);
  CHECK(with("JACCL_RANK", "2").get_coordinator() == "10.0.0.1:5000");
  CHECK(with("JACCL_COORDINATOR", "b:1").get_coordinator() == "b:1");
  CHECK(with("JACCL_IBV_DEVICES", directory.write("two", kTwo)).get_size() == 2);
  CHECK(with("JACCL_RING", "1").get_prefer_ring());
}

TEST_CASE("a variable that is set to nothing is not set") {
  CHECK(read({{"JACCL_RANK", ""}, {"MLX_RANK", "1"}}).get_rank() == 1);
  CHECK_FALSE(read({{"JACCL_RING", ""}, {"MLX_JACCL_RING", ""}}).get_prefer_ring());
  CHECK(read({{"MLX_IBV_DEVICES", ""}}).get_size() == 0);
}

TEST_CASE("what is missing is not valid, and init() names it or returns nullptr") {
  const ranks::Directory directory;
  const Variables complete = {{"MLX_RANK", "1"},
                              {"MLX_IBV_DEVICES", directory.write("two", kTwo)},
                              {"MLX_JACCL_COORDINATOR", "127.0.0.1:5000"}};
  const auto [name, part] = GENERATE(table<std::string, std::string>(
      {{"MLX_RANK", "set JACCL_RANK or MLX_RANK"},
       {"MLX_IBV_DEVICES", "set JACCL_IBV_DEVICES or MLX_IBV_DEVICES"},
       {"MLX_JACCL_COORDINATOR", "set JACCL_COORDINATOR or MLX_JACCL_COORDINATOR"}}));
  Variables incomplete = complete;
  incomplete.erase(name);
  const Environment environment(incomplete);
  CHECK_FALSE(Config::from_env().is_valid());
  CHECK(jaccl::init() == nullptr);
  CHECK(jaccl::init(false) == nullptr);
  const std::string why = jobs::thrown([] { jaccl::init(true); });
  CAPTURE(why);
  CHECK(contains(why, part));
}

TEST_CASE("what cannot be read is told, or gives nullptr") {
  const ranks::Directory directory;
  const std::string missing = directory / "missing";
  const std::vector<std::pair<Variables, std::string>> cases = {
      {{{"JACCL_RANK", "one"}}, "not \"one\""},
      {{{"MLX_IBV_DEVICES", missing}}, missing},
      {{{"MLX_IBV_DEVICES", directory.write("bad", "[")}}, "is not valid JSON"}};
  for (const auto& [variables, part] : cases) {
    const Environment environment(variables);
    CHECK(jaccl::init() == nullptr);
    const std::string why = jobs::thrown([] { jaccl::init(true); });
    CAPTURE(why);
    CHECK(contains(why, part));
  }
}

TEST_CASE("ranks that a launcher has started find each other") {
  const ranks::Directory directory;
  const std::string coordinator = "127.0.0.1:" + std::to_string(ranks::free_port());
  const std::string devices = directory.write("three", kThree);
  const auto reports = ranks::fork_and_run(3, [&](int rank) -> std::string {
    Variables variables = jobs::without_rdma("tcp");
    variables["MLX_RANK"] = std::to_string(rank);
    variables["JACCL_COORDINATOR"] = coordinator;
    variables["MLX_IBV_DEVICES"] = devices;
    const Environment environment(variables);
    const auto group = jaccl::init();
    if (group == nullptr) return "nothing";
    operations::check_all(*group, 100, operations::Place::apart);
    return std::to_string(group->rank()) + " of " + std::to_string(group->size());
  });
  CHECK(reports == std::vector<std::string>{"0 of 3", "1 of 3", "2 of 3"});
}

TEST_CASE("hosts have the names and addresses of the launcher's host file, if it is of these ranks") {
  const auto [size, name] =
      GENERATE(table<std::string, std::string>({{"2", "rank 1 (n2)"}, {"3", "rank 1 ("}}));
  const ranks::Directory directory;
  const std::string devices = directory.write("two", kTwo);
  const std::string hosts = directory.write("hosts", R"({"hosts": [{"ssh": "n1"}, {"ssh": "n2"}]})");
  const std::string coordinator = "127.0.0.1:" + std::to_string(ranks::free_port());
  const auto reports = ranks::fork_and_run(2, [&, size = size](int rank) {
    Variables variables = jobs::without_rdma("tcp");
    variables["JACKAL_RANK"] = variables["MLX_RANK"] = std::to_string(rank);
    variables["JACKAL_SIZE"] = size;
    variables["JACKAL_HOSTFILE"] = hosts;
    variables["MLX_JACCL_COORDINATOR"] = coordinator;
    variables["MLX_IBV_DEVICES"] = devices;
    const Environment environment(variables);
    const auto group = jaccl::init(true);
    return jobs::thrown([&] {
      if (rank == 0) group->barrier();
    });
  });
  CAPTURE(reports[0]);
  CHECK(contains(reports[0], name));
  CHECK(contains(reports[0], "(n2)") == (size == "2"));
}

TEST_CASE("a configuration of one's own is not mixed with what a launcher has set") {
  Variables variables = jobs::without_rdma("tcp");
  for (const char* name : {"MLX_RANK", "JACKAL_RANK"}) variables[name] = "7";
  variables["JACKAL_SIZE"] = "9";
  variables["JACKAL_COORDINATOR"] = variables["MLX_JACCL_COORDINATOR"] = "192.0.2.1:1";
  variables["JACKAL_HOSTFILE"] = variables["MLX_IBV_DEVICES"] = "/nowhere/file";
  variables["MLX_JACCL_RING"] = "1";
  const Environment environment(variables);
  jobs::run(jobs::config(2), [](jaccl::Group& group) {
    if (group.size() != 2) throw std::runtime_error("wrong size");
    operations::check_all(group, 10, operations::Place::same);
  });
  SUCCEED();
}
