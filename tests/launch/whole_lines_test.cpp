#include "launch/whole_lines.hpp"

#include <random>
#include <vector>

#include "support/catch.hpp"

using jackal::launch::WholeLines;

namespace {

struct Stream {
  std::string text;
  WholeLines lines{[this](std::string_view bytes) { text += bytes; }};
};

}  // namespace

TEST_CASE("whole lines go on at once", "[whole_lines]") {
  Stream stream;
  stream.lines.write(0, "a\n");
  stream.lines.write(1, "b\nc\n");
  CHECK(stream.text == "a\nb\nc\n");
  CHECK_FALSE(stream.lines.waiting());
}

TEST_CASE("the begin of a line goes on at once, and others wait for its end", "[whole_lines]") {
  Stream stream;
  stream.lines.write(0, "be");
  stream.lines.write(1, "other");
  stream.lines.write(0, "gin");
  CHECK(stream.text == "begin");
  CHECK(stream.lines.waiting());
  stream.lines.write(1, "\n");
  stream.lines.write(0, "\n");
  CHECK(stream.text == "begin\nother\n");
  CHECK_FALSE(stream.lines.waiting());
}

TEST_CASE("who waited with half a line makes the rest wait in turn", "[whole_lines]") {
  Stream stream;
  stream.lines.write(0, "0");
  stream.lines.write(1, "1");
  stream.lines.write(2, "2\n");
  stream.lines.write(0, "\n");
  CHECK(stream.text == "0\n1");
  stream.lines.write(1, "\n");
  CHECK(stream.text == "0\n1\n2\n");
}

TEST_CASE("a rank that ended keeps nobody waiting", "[whole_lines]") {
  Stream stream;
  stream.lines.write(0, "no end");
  stream.lines.write(1, "x\n");
  stream.lines.rank_ended(2);
  CHECK(stream.text == "no end");
  stream.lines.rank_ended(0);
  CHECK(stream.text == "no endx\n");
}

TEST_CASE("a prompt does not stop the others for ever", "[whole_lines]") {
  Stream stream;
  stream.lines.write(0, "> ");
  stream.lines.write(1, "one");
  stream.lines.write(2, "two");
  stream.lines.release();
  CHECK(stream.text == "> onetwo");
  CHECK_FALSE(stream.lines.waiting());
}

TEST_CASE("bytes without lines do not pile up", "[whole_lines]") {
  Stream stream;
  stream.lines.write(0, "x");
  const std::string block(64 * 1024, 'y');
  for (int i = 0; i < 16; ++i) stream.lines.write(1, block);
  CHECK(stream.text.size() >= 1 + 12 * block.size());
}

TEST_CASE("every rank's bytes arrive in order and none is lost", "[whole_lines]") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string now;
    WholeLines lines([&](std::string_view bytes) { now += bytes; });
    std::vector<std::string> sent(4), got(4);
    for (int step = 0; step < 60; ++step) {
      const int from = static_cast<int>(random() % 4);
      // Each rank writes letters of its own, so that what arrives tells whose it is.
      const char letter = static_cast<char>('a' + 6 * from + static_cast<int>(random() % 6));
      std::string bytes(1 + random() % 3, letter);
      if (random() % 3 == 0) bytes += std::to_string(from) + "\n";
      lines.write(from, bytes);
      sent[static_cast<std::size_t>(from)] += bytes;
      if (random() % 20 == 0) lines.rank_ended(static_cast<int>(random() % 4));
      if (random() % 20 == 0) lines.release();
    }
    lines.release();
    CHECK_FALSE(lines.waiting());
    std::size_t owner = 0;
    for (const char c : now) {
      if (c >= 'a') owner = static_cast<std::size_t>((c - 'a') / 6);
      if (c >= '0' && c <= '9') owner = static_cast<std::size_t>(c - '0');
      got[owner] += c;
    }
    CHECK(got == sent);
  }
}
