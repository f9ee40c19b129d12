#include "jackal/hostfile/reader.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "hostfile/refusal.hpp"
#include "support/catch.hpp"

namespace fs = std::filesystem;
using jackal::ErrorCode;
using jackal::hostfile::Backend;
using jackal::hostfile::parse;
using jackal::hostfile::read;
using Strings = std::vector<std::string>;

TEST_CASE("the bare list and the object are both read") {
  const auto list = parse(R"([{"ssh": "m1", "ips": ["10.0.0.1", "fe80::1%en0"]}, {"ssh": "joe@m2"}])", "h");
  REQUIRE(list);
  CHECK(!list->hostfile.backend);
  REQUIRE(list->hostfile.hosts.size() == 2);
  CHECK(list->hostfile.hosts[0].ips == Strings{"10.0.0.1", "fe80::1%en0"});
  CHECK(list->hostfile.hosts[1].ssh == "joe@m2");
  CHECK(list->hostfile.hosts[1].ips.empty());

  const auto object = parse(R"({"hosts": [{"ssh": "m1"}], "envs": ["A=1", "B="], "backend": "jackal"})", "h");
  REQUIRE(object);
  CHECK(object->hostfile.backend == Backend::jackal);
  CHECK(object->hostfile.envs == Strings{"A=1", "B="});
}

TEST_CASE("devices are null, one or several") {
  const auto file =
      parse(R"([{"ssh": "a", "rdma": [null, "en2"]}, {"ssh": "b", "rdma": [["en3", "en4"], []]}])", "h");
  REQUIRE(file);
  CHECK(file->hostfile.hosts[0].rdma == std::vector<Strings>{{}, {"en2"}});
  CHECK(file->hostfile.hosts[1].rdma == std::vector<Strings>{{"en3", "en4"}, {}});
}

TEST_CASE("links are read in cable order, what is unknown stays empty") {
  const auto file = parse(R"([
    {"ssh": "a", "links": [null, [{"ip": "192.168.0.1", "peer_ip": "192.168.0.2", "interface": "en2",
       "rdma": "rdma_en2", "receptacle": "1", "domain_uuid": "U1"}, {"interface": "en3"}]]},
    {"ssh": "b", "links": [[{"ip": "192.168.0.2"}, {}], []]}])",
                          "h");
  REQUIRE(file);
  const auto& cables = file->hostfile.hosts[0].links[1];
  REQUIRE(cables.size() == 2);
  CHECK(cables[0] == jackal::hostfile::Link{"192.168.0.1", "192.168.0.2", "en2", "rdma_en2", "1", "U1", {}});
  CHECK(cables[1].interface == "en3");
  CHECK(cables[1].ip.empty());
}

TEST_CASE("what mlx.distributed_config writes is accepted") {
  CHECK(refusal(R"({"backend": "", "envs": [], "hosts": [{"ssh": "a", "ips": [], "rdma": []}]})") ==
        "(accepted)");
  CHECK(refusal(R"({"backend": "ring", "envs": [], "hosts": [
    {"ssh": "a", "ips": ["192.168.0.2"], "rdma": []}, {"ssh": "b", "ips": ["192.168.0.1"], "rdma": []}]})") ==
        "(accepted)");
  CHECK(refusal(R"({"backend": "jaccl", "envs": ["MLX_METAL_FAST_SYNCH=1"], "hosts": [
    {"ssh": "a", "ips": ["10.0.0.1"], "rdma": [null, ["rdma_en2", "rdma_en3"]]},
    {"ssh": "b", "ips": [], "rdma": [["rdma_en4", "rdma_en5"], null]}]})") == "(accepted)");
  CHECK(refusal(R"({"backend": "jaccl-ring", "envs": [], "hosts": [
    {"ssh": "a", "ips": ["10.0.0.1"], "rdma": [null, "en2", null, "en3"]},
    {"ssh": "b", "ips": ["10.0.0.2"], "rdma": ["en2", null, "en3", null]},
    {"ssh": "c", "ips": ["10.0.0.3"], "rdma": [null, "en2", null, "en3"]},
    {"ssh": "d", "ips": ["10.0.0.4"], "rdma": ["en2", null, "en3", null]}]})") == "(accepted)");
}

TEST_CASE("a wrong shape is placed and said") {
  constexpr const char* kShape = "a list of hosts or an object with \"hosts\"";
  CHECK(refusal("7") == std::string("h.json:1:1: found the number 7, expected ") + kShape);
  CHECK(refusal("{}") == std::string("h.json:1:1: found an object without \"hosts\", expected ") + kShape);
  CHECK(refusal("[]") == "h.json:1:1: found an empty list, expected at least one host");
  CHECK(refusal("{\"hosts\": []}") ==
        "h.json:1:11: (/hosts) found an empty list, expected at least one host");
  CHECK(refusal("{\"hosts\": true}") == "h.json:1:11: (/hosts) found true, expected a list of hosts");
  CHECK(refusal("[\"mac1\"]") == "h.json:1:2: (/0) found \"mac1\", expected an object with \"ssh\"");
  CHECK(hint_for("[\"mac1\"]") == "write {\"ssh\": \"mac1\"}");
}

TEST_CASE("a host says what to connect to") {
  CHECK(refusal("[{\"ssh\": \"a\"},\n {\"shs\": \"b\"}]") ==
        "h.json:2:2: (/1) found a host without \"ssh\", expected one that says what to connect to");
  CHECK(hint_for("[{\"shs\": \"b\"}]") == "did you mean \"ssh\" by \"shs\"?");
  constexpr const char* kForm = ", expected a host name, user@host or an IP address";
  CHECK(refusal("[{\"ssh\": 7}]") == std::string("h.json:1:10: (/0/ssh) found the number 7") + kForm);
  CHECK(refusal("[{\"ssh\": \"\"}]") == std::string("h.json:1:10: (/0/ssh) found \"\"") + kForm);
  CHECK(refusal("[{\"ssh\": \"a b\"}]") == std::string("h.json:1:10: (/0/ssh) found \"a b\"") + kForm);
  CHECK(refusal("[{\"ssh\": \"a\\u0000\"}]") ==
        std::string("h.json:1:10: (/0/ssh) found \"a\\x00\"") + kForm);
  CHECK(refusal("[{\"ssh\": \"-oProxyCommand=x\"}]") ==
        std::string("h.json:1:10: (/0/ssh) found \"-oProxyCommand=x\"") + kForm +
            " that does not begin with '-'");
}

TEST_CASE("an ips entry is an IP address, version 4 or 6") {
  for (const char* good :
       {"10.0.0.1", "::1", "fe80::1", "fe80::1%en0", "fe80::1%br-lan.2_0", "::ffff:10.0.0.1"}) {
    CHECK(refusal("[{\"ssh\": \"a\", \"ips\": [\"" + std::string(good) + "\"]}]") == "(accepted)");
  }
  for (const char* bad :
       {"", "mac1", "10.0.0", "10.0.0.256", "10.0.0.1/30", "10.0.0.1:80", "[::1]", "fe80::1%",
        "fe80::1%en0,n1", "fe80::1%%", "fe80::1%é", "10.0.0.1%en0", " 10.0.0.1", "1::2::3"}) {
    CHECK(refusal("[{\"ssh\": \"a\", \"ips\": [\"" + std::string(bad) + "\"]}]") ==
          "h.json:1:23: (/0/ips/0) found \"" + std::string(bad) +
              "\", expected an IP address such as \"10.0.0.1\" or \"fe80::1%en0\"");
  }
  CHECK(refusal(R"([{"ssh": "a", "ips": "10.0.0.1"}])") ==
        "h.json:1:22: (/0/ips) found \"10.0.0.1\", expected a list of IP addresses");
  CHECK(refusal(R"([{"ssh": "a", "ips": [1]}])").starts_with("h.json:1:23: (/0/ips/0) found the number 1"));
}

TEST_CASE("an unknown backend lists the choices and the nearest") {
  const std::string file = R"({"backend": "Jacl_ring", "hosts": [{"ssh": "a"}]})";
  CHECK(refusal(file) ==
        "h.json:1:13: (/backend) found \"Jacl_ring\", expected one of ring, mpi, nccl, jaccl, jaccl-ring, "
        "jackal");
  CHECK(hint_for(file) == "did you mean jaccl-ring?");
  CHECK(hint_for(R"({"backend": "gloo", "hosts": [{"ssh": "a"}]})").empty());
  CHECK(refusal(R"({"backend": null, "hosts": [{"ssh": "a"}]})")
            .starts_with("h.json:1:13: (/backend) found null"));
}

TEST_CASE("an env is NAME=VALUE") {
  const auto with_env = [](const std::string& env) {
    return refusal("{\"envs\": [" + env + "], \"hosts\": [{\"ssh\": \"a\"}]}");
  };
  CHECK(with_env(R"("A=b=c d\n")") == "(accepted)");
  constexpr const char* kForm = ", expected \"NAME=VALUE\", a name of letters, digits and _";
  CHECK(with_env("\"A\"") == std::string("h.json:1:11: (/envs/0) found \"A\"") + kForm);
  CHECK(with_env("\"=x\"") == std::string("h.json:1:11: (/envs/0) found \"=x\"") + kForm);
  CHECK(with_env("\"1A=x\"") == std::string("h.json:1:11: (/envs/0) found \"1A=x\"") + kForm);
  CHECK(with_env("\"a b=x\"") == std::string("h.json:1:11: (/envs/0) found \"a b=x\"") + kForm);
  CHECK(with_env("\"A=1\", 2") == std::string("h.json:1:18: (/envs/1) found the number 2") + kForm);
  CHECK(with_env(R"("A=\u0000")") ==
        "h.json:1:11: (/envs/0) found \"A=\\x00\", expected a value without a NUL byte, which no environment "
        "can hold");
}

TEST_CASE("devices and link fields of a wrong type are refused") {
  CHECK(refusal(R"([{"ssh": "a", "rdma": null}])") ==
        "h.json:1:23: (/0/rdma) found null, expected a list with one entry a host");
  CHECK(refusal(R"([{"ssh": "a", "rdma": [7]}])") ==
        "h.json:1:24: (/0/rdma/0) found the number 7, expected null, a device or a list of devices");
  CHECK(refusal(R"([{"ssh": "a", "rdma": [["x", null]]}])") ==
        "h.json:1:30: (/0/rdma/0/1) found null, expected the name of an RDMA device, such as \"rdma_en5\"");
  CHECK(refusal(R"([{"ssh": "a", "links": [{}]}])") ==
        "h.json:1:25: (/0/links/0) found an object, expected null or a list of links");
  CHECK(refusal(R"([{"ssh": "a", "links": [null, [7]]}])") ==
        "h.json:1:32: (/0/links/1/0) found the number 7, expected an object, one a cable");
  CHECK(refusal(R"([{"ssh": "a", "links": [null, [{"ip": "x"}]]}])") ==
        "h.json:1:39: (/0/links/1/0/ip) found \"x\", expected an IP address");
  CHECK(refusal(R"([{"ssh": "a", "links": [null, [{"receptacle": 3}]]}])") ==
        "h.json:1:47: (/0/links/1/0/receptacle) found the number 3, expected a string without spaces");
}

TEST_CASE("ranks of one host warn only when they are not adjacent") {
  CHECK(parse(R"([{"ssh": "a"}, {"ssh": "a"}, {"ssh": "b"}, {"ssh": "b"}])", "h")->warnings.empty());
  const auto apart = parse("[{\"ssh\": \"a\"}, {\"ssh\": \"b\"},\n {\"ssh\": \"a\"}]", "h");
  const auto several =
      parse(R"([{"ssh": "a"}, {"ssh": "b"}, {"ssh": "a"}, {"ssh": "b"}, {"ssh": "a"}])", "h");
  CHECK(several->warnings ==
        Strings{"h:1:38: (/2/ssh) ranks 0 and 2 are both on \"a\", with other hosts between "
                "them (and so for 1 more); listed side by side they would communicate faster"});
  CHECK(apart->warnings ==
        Strings{"h:2:10: (/2/ssh) ranks 0 and 2 are both on \"a\", with other hosts between "
                "them; listed side by side they would communicate faster"});
}

TEST_CASE("unknown keys are kept at every level, in file order") {
  const auto file = parse(R"({"z": {"a": [1.50, "x \" ]"]}, "hosts": [{"ssh": "a", "note": "hi", "ips": [],
    "more": null, "links": [null, [{"speed": 1e2}]]}, {"ssh": "b", "links": [[{}], null]}], "é": true})",
                          "h");
  REQUIRE(file);
  using jackal::hostfile::Extras;
  CHECK(file->hostfile.extras == Extras{{"z", R"({"a":[1.50,"x \" ]"]})"}, {"é", "true"}});
  CHECK(file->hostfile.hosts[0].extras == Extras{{"note", "\"hi\""}, {"more", "null"}});
  CHECK(file->hostfile.hosts[0].links[1][0].extras == Extras{{"speed", "1e2"}});
}

TEST_CASE("a directory, a missing file and one of 100 MB are told apart") {
  std::string pattern = (fs::temp_directory_path() / "jackal-test-XXXXXX").string();
  const fs::path directory = ::mkdtemp(pattern.data());
  CHECK(read(directory).error().code == ErrorCode::bad_input);
  CHECK(read(directory).error().what == "is a directory, expected a file");
  CHECK(read(directory / "none").error().code == ErrorCode::not_found);
  const fs::path big = directory / "big.json";
  std::ofstream(big).put('[');
  fs::resize_file(big, 100'000'000);
  CHECK(read(big).error().code == ErrorCode::bad_input);
  CHECK(read(big).error().text() ==
        big.string() +
            ": is larger than 16777216 bytes, the most that such a file may have\n"
            "  expected a host file: man jackal-hostfile shows the format");
  fs::remove_all(directory);
}
