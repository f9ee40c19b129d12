#include "collectives/ranks.hpp"
#include "jobs.hpp"
#include "support/catch.hpp"

using jaccl::Config;
using jobs::Devices;

TEST_CASE("a new configuration is of nobody, and not valid") {
  const Config config;
  CHECK(config.get_rank() == -1);
  CHECK(config.get_size() == 0);
  CHECK(config.get_coordinator().empty());
  CHECK_FALSE(config.get_prefer_ring());
  CHECK_FALSE(config.is_valid());
}

TEST_CASE("setters can be chained, and getters tell what was set") {
  const Config config =
      Config().set_rank(2).set_coordinator("10.0.0.1:5000").set_devices(jobs::mesh(3)).prefer_ring();
  CHECK(config.get_rank() == 2);
  CHECK(config.get_size() == 3);
  CHECK(config.get_coordinator() == "10.0.0.1:5000");
  CHECK(config.get_prefer_ring());
  CHECK_FALSE(Config(config).prefer_ring(false).get_prefer_ring());
  CHECK(Config(config).set_coordinator(std::string("b:1")).get_coordinator() == "b:1");
}

TEST_CASE("what a caller has not got sets nothing") {
  Config config = Config().set_rank(1).set_devices(jobs::mesh(2));
  config.set_rank(nullptr).set_devices_from_file(nullptr).set_coordinator(nullptr);
  CHECK(config.get_rank() == 1);
  CHECK(config.get_size() == 2);
  CHECK(config.get_coordinator().empty());
}

TEST_CASE("a rank may be text, and nothing but a whole number") {
  CHECK(Config().set_rank("0").get_rank() == 0);
  CHECK(Config().set_rank("17").get_rank() == 17);
  for (const char* text : {"", " 1", "1 ", "-1", "+1", "1x", "0x1", "99999999999", "one"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(Config().set_rank(text), std::invalid_argument);
  }
}

TEST_CASE("a matrix that is not square is refused and changes nothing") {
  Config config = Config().set_devices(jobs::mesh(2));
  CHECK_THROWS_WITH(config.set_devices({{{}, {"a"}}, {{"b"}}}),
                    "row 1 of the device matrix has 1 entries, expected one for each of 2 ranks");
  CHECK(config.get_size() == 2);
  CHECK(config.is_valid_mesh());
}

TEST_CASE("a mesh has devices for every pair and none for a rank itself") {
  CHECK(Config().set_devices(jobs::mesh(2)).is_valid_mesh());
  CHECK(Config().set_devices(jobs::mesh(5)).is_valid_mesh());
  CHECK_FALSE(Config().is_valid_mesh());
  CHECK_FALSE(Config().set_devices(Devices{{{}}}).is_valid_mesh());
  CHECK_FALSE(Config().set_devices(jobs::ring(4, 1)).is_valid_mesh());
  Devices devices = jobs::mesh(3);
  devices[2][1].clear();
  CHECK_FALSE(Config().set_devices(devices).is_valid_mesh());
  devices = jobs::mesh(3);
  devices[1][1] = {"rdma_en9"};
  CHECK_FALSE(Config().set_devices(devices).is_valid_mesh());
}

TEST_CASE("a ring has equally many devices to both neighbours of every rank") {
  CHECK(Config().set_devices(jobs::ring(4, 1)).is_valid_ring());
  CHECK(Config().set_devices(jobs::ring(5, 3)).is_valid_ring());
  CHECK(Config().set_devices(jobs::ring(2, 2)).is_valid_ring());
  CHECK(Config().set_devices(jobs::ring(4, 0)).is_valid_ring());
  CHECK(Config().set_devices(jobs::mesh(4)).is_valid_ring());
  CHECK_FALSE(Config().is_valid_ring());
  CHECK_FALSE(Config().set_devices(Devices{{{}}}).is_valid_ring());
  Devices devices = jobs::ring(4, 2);
  devices[3][0].pop_back();
  CHECK_FALSE(Config().set_devices(devices).is_valid_ring());
  devices = jobs::ring(4, 1);
  devices[2][1].clear();
  CHECK_FALSE(Config().set_devices(devices).is_valid_ring());
}

TEST_CASE("it is valid with devices, one of their ranks and a way to meet") {
  const Config complete = jobs::config(3).set_rank(2);
  CHECK(complete.is_valid());
  CHECK_FALSE(Config(complete).set_rank(3).is_valid());
  CHECK_FALSE(Config(complete).set_rank(-1).is_valid());
  CHECK(Config(complete).set_devices(jobs::ring(4, 1)).is_valid());
  CHECK_FALSE(
      Config(complete).set_devices({{{}, {"a"}, {}}, {{"b"}, {}, {"c"}}, {{}, {"d"}, {}}}).is_valid());
  Config alone = Config(complete).set_coordinator("");
  CHECK_FALSE(alone.is_valid());
  CHECK(Config(alone).set_all_gather([](const char*, char*, size_t) {}).is_valid());
  CHECK(Config(alone).set_all_gather_factory([](int, int) { return jaccl::AllGatherFn(); }).is_valid());
}

TEST_CASE("devices come from a file with null, a name or a list for each pair") {
  const ranks::Directory directory;
  const std::string path =
      directory.write("devices", R"([[null, "a", ["b", "c"]], ["d", null, "e"], [["f", "g"], "h", []]])");
  const Config config = Config().set_devices_from_file(path.c_str());
  CHECK(config.get_size() == 3);
  CHECK(config.is_valid_mesh());
  CHECK_FALSE(config.is_valid_ring());
}

TEST_CASE("a file that is no matrix is refused with its name and what is wrong") {
  const ranks::Directory directory;
  const auto problem = [&](const std::string& text) {
    const std::string path = directory.write("devices", text);
    return jobs::thrown([&] { Config().set_devices_from_file(path.c_str()); });
  };
  CHECK(problem("{") == "the device matrix " + (directory / "devices") + " is not valid JSON");
  CHECK(jobs::contains(problem("{}"), "is not a square matrix of devices"));
  CHECK(jobs::contains(problem("[]"), "is not a square matrix of devices"));
  CHECK(jobs::contains(problem(R"([[null, "a"], ["b"]])"), "is not a square matrix of devices"));
  CHECK(jobs::contains(problem(R"([[null, 3], ["b", null]])"),
                       "in row 0 has at entry 1 neither null nor a device"));
  const std::string missing = directory / "missing";
  const std::string why = jobs::thrown([&] { Config().set_devices_from_file(missing.c_str()); });
  CHECK(jobs::contains(why, missing));
}
