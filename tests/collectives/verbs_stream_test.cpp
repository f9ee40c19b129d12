#include "transports/verbs/reliable_stream.hpp"

#include <cstring>
#include <deque>
#include <random>

#include "support/catch.hpp"

namespace {

using namespace jackal::collectives;
using std::chrono::microseconds;

StreamSizes sizes_of(bool large, bool checksum) {
  StreamSizes sizes;
  sizes.classes[0] = {256, 1, 6};
  if (large) sizes.classes[1] = {1024, 769, 4};
  sizes.states = 4;
  sizes.checksum = checksum;
  return sizes;
}

// One direction of an unreliable connection: each class keeps its order, any message may vanish, and one that
// finds no receive posted vanishes, too.
class Side : public Rail {
public:
  Side(const StreamSizes& sizes, std::uint32_t out, std::uint32_t in)
      : sizes_(sizes), stream(sizes, out, in, passage_, *this) {
    for (const MessageClass c : {MessageClass::small, MessageClass::large}) {
      const auto i = static_cast<std::size_t>(c);
      send_memory_[i].resize(static_cast<std::size_t>(sizes.sends(c)) * sizes.classes[i].message_bytes);
      receive_memory_[i].resize(static_cast<std::size_t>(sizes.receives(c)) * sizes.classes[i].message_bytes);
      for (int slot = 0; slot < sizes.receives(c); ++slot) posted[i].push_back(slot);
    }
  }

  std::byte* send_memory(MessageClass c, int slot) override { return at(send_memory_, c, slot); }
  void post(MessageClass c, int slot, std::size_t bytes) override {
    REQUIRE(bytes >= sizes_.classes[static_cast<std::size_t>(c)].least_bytes);
    REQUIRE(bytes <= sizes_.classes[static_cast<std::size_t>(c)].message_bytes);
    const std::byte* from = send_memory(c, slot);
    flying[static_cast<std::size_t>(c)].push_back({slot, {from, from + bytes}, steps});
  }
  void free_receive(MessageClass c, int slot) override {
    posted[static_cast<std::size_t>(c)].push_back(slot);
  }

  struct Message {
    int slot;
    std::vector<std::byte> bytes;
    int step;  // when it was posted
  };
  int steps = 0;  // that have passed
  std::deque<Message> flying[kMessageClasses];
  std::deque<int> posted[kMessageClasses];
  int overruns = 0;

  void receive(MessageClass c, const std::vector<std::byte>& bytes) {
    auto& free = posted[static_cast<std::size_t>(c)];
    if (free.empty()) {
      ++overruns;
      return;
    }
    const int slot = free.front();
    free.pop_front();
    std::byte* to = at(receive_memory_, c, slot);
    std::copy(bytes.begin(), bytes.end(), to);
    stream.arrived(c, slot, {to, bytes.size()});
  }

private:
  Passage passage_;
  std::byte* at(std::vector<std::byte>* memory, MessageClass c, int slot) {
    const auto i = static_cast<std::size_t>(c);
    return memory[i].data() + static_cast<std::size_t>(slot) * sizes_.classes[i].message_bytes;
  }
  StreamSizes sizes_;
  std::vector<std::byte> send_memory_[kMessageClasses];
  std::vector<std::byte> receive_memory_[kMessageClasses];

public:
  ReliableStream stream;
};

struct Network {
  std::mt19937 random;
  double loss;
  double damage = 0;
  int steps[kMessageClasses] = {};  // that a message of each class takes at least

  bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(random) < p; }

  // Moves some of what flies from `from` to `to`.
  void carry(Side& from, Side& to) {
    ++from.steps;
    for (std::size_t c = 0; c < kMessageClasses; ++c) {
      while (!from.flying[c].empty() && from.steps - from.flying[c].front().step > steps[c] && !chance(0.3)) {
        Side::Message message = std::move(from.flying[c].front());
        from.flying[c].pop_front();
        from.stream.sent(static_cast<MessageClass>(c), message.slot);
        if (chance(loss)) continue;
        if (chance(damage)) message.bytes[random() % message.bytes.size()] ^= std::byte{0x10};
        to.receive(static_cast<MessageClass>(c), message.bytes);
      }
    }
  }
};

struct Talk {
  std::vector<std::byte> text;
  std::size_t sent = 0;
  std::vector<std::byte> heard = {};
};

std::vector<std::byte> random_bytes(std::mt19937& random, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

// A step of somebody who writes and reads in pieces of any size, and sometimes does neither for a while.
void act(Side& side, Talk& mine, Talk& theirs, std::mt19937& random) {
  if (random() % 4 == 0) return;
  if (mine.sent < mine.text.size()) {
    const std::size_t most = std::min<std::size_t>(1 + random() % 5000, mine.text.size() - mine.sent);
    const std::size_t head = random() % (most + 1);
    const iovec pieces[] = {{mine.text.data() + mine.sent, head},
                            {mine.text.data() + mine.sent + head, most - head}};
    mine.sent += side.stream.write(pieces);
  }
  std::byte chunk[700];
  const std::size_t got = side.stream.read(chunk, 1 + random() % sizeof chunk);
  theirs.heard.insert(theirs.heard.end(), chunk, chunk + got);
  const auto seen = side.stream.peek(1 + random() % 100);
  theirs.heard.insert(theirs.heard.end(), seen.begin(), seen.end());
  side.stream.consume(seen.size());
}

struct Outcome {
  bool complete = false;
  std::uint64_t repairs = 0;
  int overruns = 0;
};

Outcome converse(unsigned seed, double loss, bool large, double damage = 0, int small_steps = 0,
                 int large_steps = 0) {
  const StreamSizes sizes = sizes_of(large, damage > 0);
  Network network{std::mt19937(seed), loss, damage, {small_steps, large_steps}};
  Side a(sizes, 11, 22);
  Side b(sizes, 22, 11);
  Talk from_a{random_bytes(network.random, 1 + network.random() % 60000)};
  Talk from_b{random_bytes(network.random, network.random() % 60000)};
  Clock::time_point now = Clock::time_point{} + std::chrono::hours(1);
  Outcome outcome;
  for (int step = 0; step < 200000; ++step) {
    now += microseconds(200);
    a.stream.tick(now);
    b.stream.tick(now);
    act(a, from_a, from_b, network.random);
    act(b, from_b, from_a, network.random);
    network.carry(a, b);
    network.carry(b, a);
    outcome.complete = from_a.heard.size() == from_a.text.size() &&
                       from_b.heard.size() == from_b.text.size() && a.stream.settled() && b.stream.settled();
    if (outcome.complete) break;
  }
  outcome.complete = outcome.complete && from_a.heard == from_a.text && from_b.heard == from_b.text;
  outcome.repairs = a.stream.repairs() + b.stream.repairs();
  outcome.overruns = a.overruns + b.overruns;
  return outcome;
}

}  // namespace

TEST_CASE("a stream over a path without loss repeats nothing and never overruns the receives") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    const Outcome outcome = converse(seed, 0, seed % 2 == 0);
    CAPTURE(seed);
    CHECK(outcome.complete);
    CHECK(outcome.overruns == 0);
  }
}

TEST_CASE("a stream delivers every byte once and in order whatever is lost") {
  std::uint64_t repairs = 0;
  for (unsigned seed = 1; seed <= 120; ++seed) {
    const double loss = seed % 3 == 0 ? 0.3 : seed % 3 == 1 ? 0.02 : 0.1;
    const Outcome outcome = converse(seed, loss, seed % 2 == 0);
    CAPTURE(seed, loss);
    CHECK(outcome.complete);
    repairs += outcome.repairs;
  }
  CHECK(repairs > 100);
}

TEST_CASE("a stream learns how slow its path is and does not take it for a lossy one") {
  std::uint64_t repairs = 0;
  for (unsigned seed = 1; seed <= 30; ++seed) {
    // 10 ms for a small message, 30 for a large one.
    const Outcome outcome = converse(seed, 0, true, 0, 50, 150);
    CAPTURE(seed);
    CHECK(outcome.complete);
    CHECK(outcome.overruns == 0);
    repairs += outcome.repairs;
  }
  // Before the first news a message or two may go twice.
  CHECK(repairs < 30 * 6);
}

TEST_CASE("with checksums a stream takes damaged messages for lost ones") {
  std::uint64_t repairs = 0;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const Outcome outcome = converse(seed, 0.01, true, 0.05);
    CAPTURE(seed);
    CHECK(outcome.complete);
    repairs += outcome.repairs;
  }
  CHECK(repairs > 40);
}

TEST_CASE("a stream drops what is not its own") {
  const StreamSizes sizes = sizes_of(false, false);
  Side mine(sizes, 1, 2);
  Side other(sizes, 3, 1);
  Side peer(sizes, 2, 1);
  const std::byte byte{7};
  const iovec piece = {const_cast<std::byte*>(&byte), 1};
  REQUIRE(other.stream.write({&piece, 1}) == 1);
  mine.receive(MessageClass::small, other.flying[0].front().bytes);
  CHECK(mine.stream.peek(1).empty());
  mine.receive(MessageClass::small, std::vector<std::byte>(256, std::byte{0x55}));
  mine.receive(MessageClass::small, {});
  CHECK(mine.stream.strays() == 3);
  CHECK(mine.posted[0].size() == static_cast<std::size_t>(sizes.receives(MessageClass::small)));
  REQUIRE(peer.stream.write({&piece, 1}) == 1);
  mine.receive(MessageClass::small, peer.flying[0].front().bytes);
  REQUIRE(mine.stream.peek(9).size() == 1);
  CHECK(mine.stream.peek(9)[0] == byte);
}

TEST_CASE("the checksum is CRC-32C") {
  const char text[] = "123456789";
  CHECK(crc32c(std::as_bytes(std::span(text, 9))) == 0xe3069283u);
}
