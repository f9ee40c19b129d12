#include <string>

#include "hostfile/refusal.hpp"
#include "support/catch.hpp"

using namespace std::string_literals;
using jackal::hostfile::parse;

TEST_CASE("a syntax error names place, pointer, what is there and what should be") {
  CHECK(refusal("") == "h.json:1:1: found an empty file, expected a list or an object");
  CHECK(refusal("mac1 slots=2\n") == "h.json:1:1: found \"mac1\", expected a list or an object");
  CHECK(refusal("[") == "h.json:1:2: (/0) found the end of the file, expected a value or ']'");
  CHECK(refusal("[{\"ssh\": \"a\"},\n\n {\"ssh\"}]") == "h.json:3:8: (/1/ssh) found '}', expected ':'");
  CHECK(refusal("[{\"ssh\": }]") == "h.json:1:10: (/0/ssh) found '}', expected a value");
  CHECK(refusal("[{\"ssh\": \"a\" \"ips\": []}]") == "h.json:1:14: (/0) found \"ips\", expected ',' or '}'");
  CHECK(refusal("[{\"ssh\": \"a\"} {}]") == "h.json:1:15: found '{', expected ',' or ']'");
  CHECK(refusal("[{\"ssh\": \"a\"}] x") == "h.json:1:16: found \"x\", expected the end of the file");
  CHECK(refusal("{\"hosts\": [{\"ssh\": \"a\", 7}]}") ==
        "h.json:1:25: (/hosts/0) found \"7\", expected a key in double quotes");
  CHECK(refusal("[{\"ssh\": nope}]") == "h.json:1:10: (/0/ssh) found \"nope\", expected a value");
  CHECK(refusal("[-]") ==
        "h.json:1:2: (/0) found \"-\", an invalid number; expected digit after '-', expected a value or ']'");
  CHECK(refusal("[1e999]") ==
        "h.json:1:2: (/0) found \"1e999\", a number out of range, expected a value or ']'");
}

TEST_CASE("a trailing comma is pointed out, with the remedy") {
  CHECK(refusal("[{\"ssh\": \"a\"},]") == "h.json:1:15: (/1) found ']', expected a value");
  CHECK(hint_for("[{\"ssh\": \"a\"},]") ==
        "remove the comma before it: JSON allows none after the last entry");
  CHECK(refusal("[{\"ssh\": \"a\",}]") == "h.json:1:14: (/0) found '}', expected a key in double quotes");
  CHECK(refusal("[{\"ssh\": \"a\"},,]") == "h.json:1:15: (/1) found ',', expected a value");
}

TEST_CASE("what looks like Python or a configuration file gets a hint") {
  CHECK(hint_for("[{'ssh': 'a'}]") == "JSON strings take double quotes");
  CHECK(hint_for("[{\"ssh\": \"a\"} # first\n]") == "JSON has no comments");
  CHECK(hint_for("// hosts\n[]") == "JSON has no comments");
}

TEST_CASE("a fault inside a string is placed at the byte") {
  CHECK(refusal("[{\"ssh\": \"ab\n\"}]") ==
        "h.json:1:13: (/0/ssh) found an invalid string: control character U+000A (LF) must be escaped to "
        "\\u000A or \\n, expected text as JSON writes it, in UTF-8");
  CHECK(hint_for("[{\"ssh\": \"ab\n\"}]") == "is the closing quote missing?");
  CHECK(refusal("[{\"ssh\": \"abc") ==
        "h.json:1:10: (/0/ssh) found an invalid string: missing closing quote, expected a closing quote");
}

TEST_CASE("columns count characters, not bytes, and a byte order mark counts for nothing") {
  CHECK(refusal("[{\"ssh\": \"é\", \"ips\": 1}]").starts_with("h.json:1:22: (/0/ips) "));
  CHECK(refusal("\xEF\xBB\xBF[7]").starts_with("h.json:1:2: (/0) "));
  CHECK(refusal("\xEF\xBB\xBF[{\"ssh\": \"a\"}]") == "(accepted)");
}

TEST_CASE("another encoding than UTF-8 is named") {
  CHECK(refusal("\xFF\xFE[\0]\0"s) == "h.json:1:1: found a UTF-16 byte order mark, expected text in UTF-8");
  CHECK(refusal("\xFE\xFF\0["s) == "h.json:1:1: found a UTF-16 byte order mark, expected text in UTF-8");
  CHECK(refusal("[\0]\0"s) == "h.json:1:2: found a NUL byte, expected text in UTF-8");
  CHECK(hint_for("[\0]\0"s) == "convert it, for example with: iconv -f UTF-16 -t UTF-8");
  CHECK(refusal("[{\"ssh\": \"a\"}]\0x"s) == "h.json:1:15: found a NUL byte, expected text in UTF-8");
  CHECK(refusal("[{\"ssh\": \"a\xFF\"}]") ==
        "h.json:1:12: (/0/ssh) found an invalid string: ill-formed UTF-8 byte, expected text as JSON writes "
        "it, "
        "in UTF-8");
  CHECK(refusal("[\xFF]") == "h.json:1:2: (/0) found \"\\xff\", expected a value or ']'");
}

TEST_CASE("a key that stands twice is refused, at any depth") {
  CHECK(refusal("[{\"ssh\": \"a\",\n  \"ssh\": \"b\"}]") ==
        "h.json:2:3: (/0/ssh) found the key \"ssh\" a second time, expected each key once; the first is at "
        "h.json:1:3");
  CHECK(
      refusal("{\"x\": {\"b\": [1, {\"a/~\": 1, \"a/~\": 2}]}}") ==
      "h.json:1:28: (/x/b/1/a~1~0) found the key \"a/~\" a second time, expected each key once; the first is "
      "at h.json:1:18");
}

TEST_CASE("nesting 10,000 deep is refused at the level that is too deep") {
  const std::string refused = refusal(std::string(10'000, '['));
  CHECK(refused.starts_with("h.json:1:65: (/0/0"));
  CHECK(refused.ends_with("/0) found nesting of more than 64 levels, expected a host file, which needs 6"));
  std::string objects;
  for (int level = 0; level < 10'000; ++level) objects += "{\"a\":";
  CHECK(refusal(objects).ends_with(
      "found nesting of more than 64 levels, expected a host file, which needs 6"));
}

TEST_CASE("a text of more than 16 MiB is refused unread") {
  CHECK(refusal(std::string((16 << 20) + 1, '[')) ==
        "h.json: found 16777217 bytes, expected a host file, of at most 16777216");
}

namespace {

constexpr std::string_view kMesh =
    "{\"backend\": \"jaccl\", \"envs\": [\"A=\\u00e9\"],\n \"hosts\": [\n"
    "  {\"ssh\": \"é1\", \"ips\": [\"10.0.0.1\"], \"rdma\": [[], [\"p\", \"q\"]], \"x\": [153, {}]},\n"
    "  {\"ssh\": \"日2\", \"rdma\": [[\"p\", \"q\"], []]}\n]}";

/// Counted the simple way: "h.json:LINE:COLUMN: " of a byte.
std::string place(std::string_view text, std::size_t offset) {
  int line = 1, column = 1;
  for (const char c : text.substr(0, offset)) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    column = c == '\n' ? 1 : column + (continues ? 0 : 1);
    line += c == '\n' ? 1 : 0;
  }
  return "h.json:" + std::to_string(line) + ":" + std::to_string(column) + ": ";
}

}  // namespace

TEST_CASE("a control character anywhere in a file is found at its place") {
  REQUIRE(refusal(kMesh) == "(accepted)");
  for (std::size_t at = 0; at < kMesh.size(); ++at) {
    if (static_cast<unsigned char>(kMesh[at]) >= 0x80) continue;  // half a character would come first
    std::string broken(kMesh);
    broken[at] = '\x01';
    INFO(at);
    CHECK(refusal(broken).substr(0, place(kMesh, at).size()) == place(kMesh, at));
  }
}

TEST_CASE("a file that is cut off is refused wherever it ends") {
  for (std::size_t size = 0; size < kMesh.size(); ++size)
    CHECK(refusal(kMesh.substr(0, size)) != "(accepted)");
}
