#include "fabric/fabric.hpp"

#include <string>

#include "collectives/graphs.hpp"
#include "support/catch.hpp"

using namespace jackal::collectives;

namespace {

const std::string kRates = R"("step_ns": 10, "copy_bytes_per_ms": 20, "reduce_bytes_per_ms": 30)";

std::string problem(const std::string& rest) {
  const ReadFabric read = parse_fabric("{" + kRates + ", " + rest + "}");
  CHECK_FALSE(read.fabric);
  return read.problem;
}

}  // namespace

TEST_CASE("four hosts in a ring take a few lines") {
  const ReadFabric read = parse_fabric("{\"about\": \"a desk\", \"ranks\": 4, \"links\": \"ring\"," + kRates +
                                       R"(, "link": {"transport": "verbs", "latency_ns": 5000,
                                           "bytes_per_ms": 8000000, "cables": 2}})");
  CHECK(read.problem == "");
  REQUIRE(read.fabric);
  CHECK(read.fabric->ranks == 4);
  CHECK(read.fabric->host_of == std::vector<int>{0, 1, 2, 3});
  CHECK(read.fabric->cores_of_host == std::vector<int>{1, 1, 1, 1});
  CHECK(read.fabric->step_ns == 10);
  CHECK(read.fabric->copy_bytes_per_ms == 20);
  CHECK(read.fabric->reduce_bytes_per_ms == 30);
  CHECK(read.fabric->path(3, 0) == Path{2, 5000, 8'000'000, "verbs"});
  CHECK_FALSE(read.fabric->path(0, 2).linked());
  CHECK_FALSE(read.fabric->path(0, 0).linked());
  CHECK(read.fabric->connected());
  CHECK_FALSE(read.fabric->complete());
}

TEST_CASE("links may differ from the rest, and from their way back") {
  const ReadFabric read = parse_fabric("{\"ranks\": 3, \"hosts\": [0, 1, 0], \"cores\": [8, 4]," + kRates +
                                       R"(, "link": {"latency_ns": 1, "bytes_per_ms": 2},
                        "links": [{"between": [2, 0], "transport": "shm", "latency_ns": 0},
                                  {"from": 0, "to": 1, "cables": 3}, {"from": 1, "to": 0, "bytes_per_ms": 9}]})");
  CHECK(read.problem == "");
  REQUIRE(read.fabric);
  CHECK(read.fabric->path(0, 2) == Path{1, 0, 2, "shm"});
  CHECK(read.fabric->path(2, 0) == Path{1, 0, 2, "shm"});
  CHECK(read.fabric->path(0, 1) == Path{3, 1, 2, "tcp"});
  CHECK(read.fabric->path(1, 0) == Path{1, 1, 9, "tcp"});
  CHECK(read.fabric->cores_of_host == std::vector<int>{8, 4});
}

TEST_CASE("what is written is read again") {
  Fabric fabric = graphs::fabric(5, graphs::star(5), 2);
  fabric.paths[5].latency_ns = 77;
  fabric.paths[7].transport = "shm";
  fabric.host_of = {0, 0, 1, 2, 1};
  fabric.cores_of_host = {4, 2, 9};
  const ReadFabric read = parse_fabric(write_fabric(fabric));
  CHECK(read.problem == "");
  CHECK(read.fabric == fabric);
  const Fabric alone = graphs::fabric(1, {});
  CHECK(parse_fabric(write_fabric(alone)).fabric == alone);
}

TEST_CASE("a fabric that is none is refused with the place") {
  CHECK(parse_fabric("{\n  \"ranks\": 2,,\n}").problem == "is not valid JSON at line 2, column 14");
  CHECK(parse_fabric("").problem == "is not valid JSON at line 1, column 1");
  CHECK(parse_fabric("2E17122").problem == "has a number too large to be read");
  CHECK(parse_fabric("[]").problem == "the fabric is not an object");
  CHECK(parse_fabric("[[[[[[]]]]]]").problem == "is nested deeper than 4 levels");
  CHECK(parse_fabric(R"({"ranks": 2})").problem == "has no \"step_ns\"");
  CHECK(problem(R"("links": "mesh")") == "has no \"ranks\"");
  CHECK(problem(R"("ranks": 2, "ranks": 3)") == "has \"ranks\" twice in one object");
  CHECK(problem(R"("ranks": 2)") == "has no \"links\"");
  CHECK(problem(R"("ranks": 0)") == "ranks is 0, expected 1 to 1024");
  CHECK(problem(R"("ranks": 1025)") == "ranks is 1025, expected 1 to 1024");
  CHECK(problem(R"("ranks": 18446744073709551615)") == "ranks is 18446744073709551615, expected 1 to 1024");
  CHECK(problem(R"("ranks": 2.5)") == "ranks is not a whole number, expected 1 to 1024");
  CHECK(problem(R"("ranks": 2, "nodes": 3)") == "the fabric has an unknown key \"nodes\"");
  CHECK(problem(R"("ranks": 2, "about": 3)") == "about is not a string");
  CHECK(problem(R"("ranks": 2, "hosts": [0])") == "hosts is not a list with the host of each of the 2 ranks");
  CHECK(problem(R"("ranks": 2, "hosts": [0, 2])") == "hosts[1] is 2, expected 0 to 1");
  CHECK(problem(R"("ranks": 2, "cores": 0)") == "cores is 0, expected 1 to 4096");
  CHECK(problem(R"("ranks": 2, "cores": [1, 5000])") == "cores[1] is 5000, expected 1 to 4096");
  CHECK(problem(R"("ranks": 2, "cores": [1])") ==
        "cores is neither a number nor a list of one for each of the 2 hosts");
}

TEST_CASE("links that are none are refused with the place") {
  const auto links = [](const std::string& text) {
    return problem(R"("ranks": 3, "link": {"latency_ns": 1, "bytes_per_ms": 2}, "links": )" + text);
  };
  CHECK(links(R"("torus")") == "links is \"torus\", expected \"mesh\", \"ring\", \"chain\" or a list");
  CHECK(links("3") == "links is neither \"mesh\", \"ring\", \"chain\" nor a list");
  CHECK(links(R"([3])") == "links[0] is not an object");
  CHECK(links(R"([{}])") == "links[0] has to have either \"between\", or \"from\" and \"to\"");
  CHECK(links(R"([{"from": 1}])") == "links[0] has only one of \"from\" and \"to\"");
  CHECK(links(R"([{"between": [0, 1, 2]}])") == "links[0].between is not a list of two ranks");
  CHECK(links(R"([{"between": [0, 3]}])") == "links[0].between[1] is 3, expected 0 to 2");
  CHECK(links(R"([{"between": [1, 1]}])") == "links[0] links rank 1 with itself");
  CHECK(links(R"([{"between": [0, 1]}, {"between": [1, 0]}])") ==
        "links[1] is a second link from rank 1 to rank 0");
  CHECK(links(R"([{"from": 0, "to": 1}])") == "links go one way only between ranks 0 and 1");
  CHECK(links(R"([{"between": [0, 1], "cables": 0}])") == "links[0].cables is 0, expected 1 to 64");
  CHECK(links(R"([{"between": [0, 1], "speed": 0}])") == "links[0] has an unknown key \"speed\"");
  CHECK(links(R"([{"between": [0, 1], "transport": 0}])") == "links[0].transport is not a short string");
  CHECK(problem(R"("ranks": 2, "links": "mesh")") == "links has no latency_ns, and link has none for all");
  CHECK(problem(R"("ranks": 2, "link": {"latency_ns": 1}, "links": [{"between": [0, 1]}])") ==
        "links[0] has no bytes_per_ms, and link has none for all");
  CHECK(problem(R"("ranks": 2, "link": {"latency": 1}, "links": "mesh")") ==
        "link has an unknown key \"latency\"");
}
