#include "jackal/hostfile/writer.hpp"

#include <unistd.h>

#include <filesystem>
#include <random>
#include <string>

#include "hostfile/random_hostfile.hpp"
#include "jackal/base/file.hpp"
#include "jackal/hostfile/reader.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using namespace jackal::hostfile;

TEST_CASE("the canonical form is the object, keys in fixed order, one host a line") {
  const char* loose = R"({"later": {"b":  1}, "hosts": [{"note": 1, "rdma": [null, ["r1", "r2"]], "ssh": "a"},
      {"links": [[{"domain_uuid": "U", "ip": "10.0.0.2"}, {"x": 0}], null], "ssh": "b", "ips": ["10.0.0.2"]}
    ], "envs": ["A=\"q\""], "backend": "ring"})";
  Hostfile file = parse(loose, "h").value_or(ReadResult{}).hostfile;
  CHECK(file.hosts.empty());  // a lists no links back
  const char* mirrored = R"({"later": {"b":  1}, "hosts": [
      {"note": 1, "links": [null, [{}, {}]], "rdma": [null, []], "ssh": "a"},
      {"links": [[{"domain_uuid": "U", "ip": "10.0.0.2"}, {"x": 0}], null], "ssh": "b", "ips": ["10.0.0.2"],
       "rdma": []}
    ], "envs": ["A=\"q\""], "backend": "ring"})";
  file = parse(mirrored, "h").value().hostfile;
  CHECK(to_json(file) == R"({
  "backend": "ring",
  "envs": ["A=\"q\""],
  "hosts": [
    {"ssh": "a", "ips": [], "rdma": [null, null], "links": [null, [{}, {}]], "note": 1},
    {"ssh": "b", "ips": ["10.0.0.2"], "links": [[{"ip": "10.0.0.2", "domain_uuid": "U"}, {"x": 0}], null]}
  ],
  "later": {"b":1}
}
)");
}

TEST_CASE("what is not chosen is not written") {
  Hostfile file;
  file.hosts.push_back({"a", {}, {}, {}, {}});
  CHECK(to_json(file) == "{\n  \"hosts\": [\n    {\"ssh\": \"a\", \"ips\": []}\n  ]\n}\n");
}

TEST_CASE("bytes that are no UTF-8 become the replacement character, so that the file can be read") {
  Hostfile file;
  file.envs = {"A=\xFF"};
  file.hosts.push_back({"a", {}, {}, {}, {}});
  CHECK(parse(to_json(file), "h").value().hostfile.envs == std::vector<std::string>{"A=\xEF\xBF\xBD"});
}

TEST_CASE("whatever host file is written is read back the same") {
  std::mt19937 random(20260801);
  for (int round = 0; round < 400; ++round) {
    const Hostfile file = random_hostfile(random);
    const std::string json = to_json(file);
    const auto again = parse(json, "h");
    INFO(json);
    INFO((again ? std::string() : again.error().text()));
    REQUIRE(again);
    REQUIRE(again->hostfile == file);
    REQUIRE(to_json(again->hostfile) == json);
  }
}

TEST_CASE("a file is replaced as a whole, and stays when it cannot be") {
  std::string pattern = (fs::temp_directory_path() / "jackal-test-XXXXXX").string();
  const fs::path directory = ::mkdtemp(pattern.data());
  Hostfile file;
  file.hosts.push_back({"a", {}, {}, {}, {}});
  REQUIRE(write(directory / "hosts.json", file));
  file.hosts.push_back({"b", {}, {}, {}, {}});
  REQUIRE(write(directory / "hosts.json", file));
  CHECK(read(directory / "hosts.json").value().hostfile == file);
  CHECK(std::distance(fs::directory_iterator(directory), fs::directory_iterator()) == 1);
  CHECK(!write(directory / "none" / "hosts.json", file));
  fs::remove_all(directory);
}
