#include <string>
#include <vector>

#include "hostfile/refusal.hpp"
#include "support/catch.hpp"

using jackal::hostfile::Backend;

namespace {

/// One host a line, named a, b, …; `rows` are the JSON texts of their `rdma`.
std::string hosts_with(const std::string& key, const std::vector<std::string>& rows) {
  std::string json = "[";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    json += i == 0 ? "\n" : ",\n";
    json += std::string("{\"ssh\": \"") + static_cast<char>('a' + i) + "\"";
    if (!rows[i].empty()) json += ", \"" + key + "\": " + rows[i];
    json += "}";
  }
  return json + "]";
}

std::string rdma(const std::vector<std::string>& rows, Backend backend) {
  return refusal(hosts_with("rdma", rows), backend);
}

std::string links(const std::vector<std::string>& rows) { return refusal(hosts_with("links", rows)); }

const std::vector<std::string> kRingOfFour{R"([null, "r", null, "l"])", R"(["l", null, "r", null])",
                                           R"([null, "l", null, "r"])", R"(["r", null, "l", null])"};

}  // namespace

TEST_CASE("a ragged matrix is refused by the backends that use it, and by no other") {
  const std::vector<std::string> rows{R"([null, "x"])", R"(["x"])"};
  for (const Backend backend : {Backend::jaccl, Backend::jaccl_ring, Backend::jackal}) {
    CHECK(rdma(rows, backend) == "h.json:3:22: (/1/rdma) found 1 entry, expected 2, one for each host");
  }
  for (const Backend backend : {Backend::ring, Backend::mpi, Backend::nccl}) {
    CHECK(rdma(rows, backend) == "(accepted)");
  }
}

TEST_CASE("the command line's backend beats the file's") {
  const std::string file = R"({"backend": "jaccl", "hosts": [{"ssh": "a", "rdma": []}, {"ssh": "b"}]})";
  CHECK(refusal(file) ==
        "h.json:1:32: (/hosts/0) found a host without devices in \"rdma\", expected 2 entries, one for each "
        "host: backend jaccl uses them");
  CHECK(refusal(file, Backend::ring) == "(accepted)");
  CHECK(refusal(file, Backend::jackal) == "(accepted)");
}

TEST_CASE("a device on the diagonal is refused") {
  CHECK(rdma({R"([null, "x"])", R"(["x", "y"])"}, Backend::jaccl) ==
        "h.json:3:28: (/1/rdma/1) found \"y\", expected null: this is the host's entry for itself");
}

TEST_CASE("jaccl needs a device for every pair") {
  CHECK(rdma({R"([null, "x", "y"])", R"(["x", null, "y"])", R"(["x", "y", null])"}, Backend::jaccl) ==
        "(accepted)");
  CHECK(rdma({R"([null, "x", "y"])", R"(["x", null, null])", R"(["x", null, null])"}, Backend::jaccl) ==
        "h.json:3:34: (/1/rdma/2) found null, expected the device that reaches rank 2 (c)");
  CHECK(rdma(kRingOfFour, Backend::jaccl) ==
        "h.json:2:34: (/0/rdma/2) found null, expected the device that reaches rank 2 (c)");
}

TEST_CASE("jaccl-ring needs the neighbours in rank order, and nothing else") {
  CHECK(rdma(kRingOfFour, Backend::jaccl_ring) == "(accepted)");
  CHECK(rdma({R"([null, "x"])", R"(["x", null])"}, Backend::jaccl_ring) == "(accepted)");
  std::vector<std::string> with_junk = kRingOfFour;
  with_junk[0] = R"([null, "r", "unused", "l"])";
  CHECK(rdma(with_junk, Backend::jaccl_ring) == "(accepted)");
}

TEST_CASE("a ring listed out of order is refused, not run as groups of one") {
  // Cabled a-c, c-b, b-d, d-a.
  CHECK(rdma({R"([null, null, "x", "y"])", R"([null, null, "x", "y"])", R"(["x", "y", null, null])",
              R"(["x", "y", null, null])"},
             Backend::jaccl_ring) ==
        "h.json:2:29: (/0/rdma/1) found null, expected the device that reaches rank 1 (b)");
}

TEST_CASE("jaccl-ring takes the same number of cables all around") {
  CHECK(rdma({R"([null, ["p", "q"], "l"])", R"([["p", "q"], null, "r"])", R"(["r", "l", null])"},
             Backend::jaccl_ring) ==
        "h.json:2:41: (/0/rdma/2) found 1 device to rank 2, expected 2 devices, as between ranks 0 and 1");
}

TEST_CASE("used pairs list as many devices one way as the other") {
  const std::vector<std::string> rows{R"([null, ["p", "q"]])", R"(["p", null])"};
  CHECK(rdma(rows, Backend::jaccl) ==
        "h.json:3:23: (/1/rdma/0) found 1 device to rank 0, expected 2 devices, as rank 0 lists to rank 1");
  CHECK(rdma(rows, Backend::jackal) ==
        "h.json:3:23: (/1/rdma/0) found 1 device to rank 0, expected 2 devices, as rank 0 lists to rank 1");
  CHECK(rdma({R"([null, "p"])", R"([null, null])"}, Backend::jackal) ==
        "h.json:3:23: (/1/rdma/0) found 0 devices to rank 0, expected 1 device, as rank 0 lists to rank 1");
}

TEST_CASE("jackal takes any cabling, and none") {
  CHECK(rdma({R"([null, "x", null])", R"(["x", null, "y"])", R"([null, "y", null])"}, Backend::jackal) ==
        "(accepted)");
  CHECK(rdma({"", "", ""}, Backend::jackal) == "(accepted)");
  CHECK(rdma({R"([null, "x"])", ""}, Backend::jackal)
            .starts_with("h.json:3:1: (/1) found a host without devices"));
}

TEST_CASE("a job of one rank needs no devices") {
  CHECK(rdma({""}, Backend::jaccl) == "(accepted)");
  CHECK(rdma({"[null]"}, Backend::jaccl_ring) == "(accepted)");
  CHECK(rdma({"[\"x\"]"}, Backend::jaccl).starts_with("h.json:2:23: (/0/rdma/0) found \"x\", expected null"));
}

TEST_CASE("links have one entry a host and none for the host itself") {
  CHECK(links({"[null, [{}]]", "[[{}], null]"}) == "(accepted)");
  CHECK(links({"[null]", ""}) == "h.json:2:23: (/0/links) found 1 entry, expected 2, one for each host");
  CHECK(links({"[[{}], null]", ""}) ==
        "h.json:2:24: (/0/links/0) found a list, expected null: this is the host's entry for itself");
}

TEST_CASE("links are the same cables from both ends") {
  CHECK(links({"[null, [{}, {}]]", "[[{}], null]"}) ==
        "h.json:2:30: (/0/links/1) found 2 links to rank 1, expected 1 link, as rank 1 lists to rank 0");
  CHECK(links({"[null, [{}]]", ""}) ==
        "h.json:2:30: (/0/links/1) found 1 link to rank 1, expected 0 links, as rank 1 lists to rank 0");
  CHECK(links({R"([null, [{"ip": "10.0.0.1", "peer_ip": "10.0.0.2"}]])",
               R"([[{"ip": "10.0.0.2"}], null])"}) == "(accepted)");
  CHECK(links({R"([null, [{"peer_ip": "10.0.0.9"}]])", R"([[{"ip": "10.0.0.2"}], null])"}) ==
        "h.json:2:43: (/0/links/1/0/peer_ip) found \"10.0.0.9\", expected \"10.0.0.2\", the \"ip\" of "
        "/1/links/0/0");
}

TEST_CASE("links that disagree with rdma are refused, whatever the backend") {
  const auto with = [](const std::string& devices) {
    return refusal("[{\"ssh\": \"a\", \"rdma\": " + devices +
                   ",\n \"links\": [null, [{\"rdma\": \"r1\"}, {\"rdma\": \"r2\"}]]},\n"
                   " {\"ssh\": \"b\", \"links\": [[{}, {}], null]}]");
  };
  CHECK(with(R"([null, ["r1", "r2"]])") == "(accepted)");
  CHECK(with("[]") == "(accepted)");
  CHECK(with(R"([null, ["r2", "r1"]])") ==
        "h.json:2:18: (/0/links/1) found links with devices r1, r2, expected devices r2, r1, as /0/rdma/1 "
        "says");
  CHECK(with("[null, null]") ==
        "h.json:2:18: (/0/links/1) found links with devices r1, r2, expected no devices, as /0/rdma/1 says");
  CHECK(with("[null]") ==
        "h.json:1:23: (/0/rdma) found 1 entry, expected 2, one for each host, as \"links\" has");
}

TEST_CASE("cables without an RDMA device agree with a matrix that has none") {
  CHECK(refusal(R"([{"ssh": "a", "rdma": [null, null], "links": [null, [{"ip": "10.0.0.1"}]]},
                    {"ssh": "b", "links": [[{}], null]}])") == "(accepted)");
}
