#include "launch/words.hpp"

#include <random>

#include "jackal/remote/quote.hpp"
#include "launch/fixture.hpp"

namespace jackal::launch {
namespace {

Words split(const std::string& text) { return must(split_words(text, "--mpi-arg")); }

}  // namespace

TEST_CASE("text is split into words as a shell splits it", "[words]") {
  CHECK(split("--mca btl_tcp_if_include en0") == Words{"--mca", "btl_tcp_if_include", "en0"});
  CHECK(split("") == Words{});
  CHECK(split(" \t\n ") == Words{});
  CHECK(split("'a b' \"c d\" e\\ f") == Words{"a b", "c d", "e f"});
  CHECK(split("'' \"\"") == Words{"", ""});
  CHECK(split("a''b\"c\"") == Words{"abc"});
  CHECK(split("'\\' \"\\$ \\a \\\"\"") == Words{"\\", "$ \\a \""});
  CHECK(split("one\\\ntwo \"three\\\nfour\"") == Words{"onetwo", "threefour"});
  CHECK(split("$HOME *") == Words{"$HOME", "*"});
  CHECK(split("\xff'\xfe'") == Words{"\xff\xfe"});
}

TEST_CASE("an open quote or a last backslash is an error that names the flag", "[words]") {
  for (const char* text : {"'a", "a \"b", "a\\", "\"\\\""}) {
    const Error error = must_fail(split_words(text, "--mpi-arg"));
    CHECK(error.code == ErrorCode::usage);
    CHECK(error.where == "--mpi-arg");
  }
}

TEST_CASE("quoting words and splitting the text gives the words again", "[words]") {
  std::mt19937 random(1);
  const std::string alphabet = " \t\n'\"\\$`!aé;-=*~#";
  for (int round = 0; round < 2000; ++round) {
    Words words(random() % 5);
    for (std::string& word : words) {
      for (auto length = random() % 8; length > 0; --length) word += alphabet[random() % alphabet.size()];
    }
    CHECK(split(remote::quote(words)) == words);
  }
}

}  // namespace jackal::launch
