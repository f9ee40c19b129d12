#include "control/frame.hpp"

#include "control/messages.hpp"
#include "support/catch.hpp"

using namespace jackal::collectives;

namespace {

const std::string kSecret(32, 's');

Hello example() {
  return {
      Purpose::data, 5, "job-7", 3, 8, std::string(16, 'n'), "node-c", {std::string("\x0a\0\0\1", 4), 5000}};
}

std::string problem_after(const std::string& bytes, std::size_t limit = 100) {
  FrameReader reader(kSecret, limit);
  reader.feed(bytes);
  CHECK_FALSE(reader.next());
  return reader.problem();
}

}  // namespace

TEST_CASE("frames come out as they went in, however the stream is cut") {
  const std::string stream = encode_frame(FrameType::hello, "first", kSecret) +
                             encode_frame(FrameType::go, "", kSecret) +
                             encode_frame(FrameType::table, std::string(99, 'x'), kSecret);
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    FrameReader reader(kSecret, 100);
    std::vector<Frame> frames;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      reader.feed(std::string_view(stream).substr(at, step));
      while (auto frame = reader.next()) frames.push_back(*frame);
    }
    REQUIRE(frames.size() == 3);
    CHECK(frames[0].type == FrameType::hello);
    CHECK(frames[0].body == "first");
    CHECK(frames[1].type == FrameType::go);
    CHECK(frames[2].body == std::string(99, 'x'));
  }
}

TEST_CASE("a stranger is recognised by its first byte") {
  CHECK(problem_after("GET / HTTP/1.1\r\n") == "what came is not Jackal's protocol");
  CHECK(problem_after("JKx") == "what came is not Jackal's protocol");
  CHECK(problem_after("JK").empty());
}

TEST_CASE("a frame that claims more than may come is refused before it comes") {
  const std::string frame = encode_frame(FrameType::hello, std::string(101, 'x'), kSecret);
  CHECK(problem_after(frame.substr(0, 12)) == "a frame of 101 bytes, more than the 100 that may come here");
}

TEST_CASE("another version of the protocol is named") {
  std::string frame = encode_frame(FrameType::hello, "", kSecret);
  frame[4] = 9;
  CHECK(problem_after(frame) == "the other side speaks version 9 of the protocol, this one 1");
}

TEST_CASE("a frame under another secret, or with any byte changed, is refused") {
  CHECK(problem_after(encode_frame(FrameType::hello, "body", "other secret")) ==
        "the other side does not hold this job's secret");
  const std::string good = encode_frame(FrameType::hello, "body", kSecret);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    FrameReader reader(kSecret, 100);
    reader.feed(bad);
    CHECK_FALSE(reader.next());
  }
}

TEST_CASE("a hello is read back, and no other length of it is") {
  const std::string body = example().encode();
  const auto hello = Hello::decode(body);
  REQUIRE(hello);
  CHECK(hello->purpose == Purpose::data);
  CHECK(hello->lane == 5);
  CHECK(hello->job == "job-7");
  CHECK(hello->rank == 3);
  CHECK(hello->size == 8);
  CHECK(hello->host == "node-c");
  CHECK(hello->listens == Endpoint{std::string("\x0a\0\0\1", 4), 5000});
  for (std::size_t size = 0; size < body.size(); ++size) CHECK_FALSE(Hello::decode(body.substr(0, size)));
  CHECK_FALSE(Hello::decode(body + "x"));
}

TEST_CASE("a hello with impossible values is refused") {
  Hello hello = example();
  hello.rank = 8;
  CHECK_FALSE(Hello::decode(hello.encode()));
  hello = example();
  hello.size = 5000;
  CHECK_FALSE(Hello::decode(hello.encode()));
  hello = example();
  hello.nonce = "short";
  CHECK_FALSE(Hello::decode(hello.encode()));
  hello = example();
  hello.listens.address = "five5";
  CHECK_FALSE(Hello::decode(hello.encode()));
}

TEST_CASE("a table of ranks and an error survive the journey") {
  const std::vector<Member> members = {{"a", {std::string(4, 'x'), 1}}, {"b", {std::string(16, 'y'), 65535}}};
  CHECK(decode_table(encode_table(members)) == members);
  CHECK_FALSE(decode_table(encode_table(members) + "x"));
  CHECK_FALSE(decode_table(std::string("\xff\xff\xff\xff", 4)));

  const auto error =
      decode_error(encode_error(Error(Code::peer_lost, "gone", 2, "c", "1.2.3.4:5", "barrier")));
  REQUIRE(error);
  CHECK(error->code() == Code::peer_lost);
  CHECK(std::string(error->what()) == "gone");
  CHECK(error->rank() == 2);
  CHECK(error->host == "c");
  CHECK(error->link == "1.2.3.4:5");
  CHECK(error->operation == "barrier");
  CHECK_FALSE(decode_error("\x63"));
}
