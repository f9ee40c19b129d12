#include "transports/tcp/channel.hpp"

#include <fcntl.h>
#include <poll.h>

#include <cstring>
#include <numeric>
#include <random>

#include "support/catch.hpp"
#include "transports/tcp/socket.hpp"

using namespace jackal::collectives;

namespace {

struct Pair {
  std::unique_ptr<TcpChannel> one;
  std::unique_ptr<TcpChannel> other;
};

Pair connected() {
  const Deadline deadline = Clock::now() + std::chrono::seconds(10);
  const SocketAddress any = resolve({"127.0.0.1", 0}, deadline).addresses.at(0);
  const Opened listener = listen_on(any);
  REQUIRE(listener.fd);
  Opened caller = connect_to(SocketAddress::local_of(listener.fd.get()), deadline);
  REQUIRE(caller.fd);
  REQUIRE(wait_for(listener.fd.get(), POLLIN, deadline));
  jackal::UniqueFd called(::accept(listener.fd.get(), nullptr, nullptr));
  REQUIRE(called);
  ::fcntl(called.get(), F_SETFL, O_NONBLOCK);
  return {std::make_unique<TcpChannel>(std::move(caller.fd), "there"),
          std::make_unique<TcpChannel>(std::move(called), "here")};
}

void await(const Channel& channel) {
  REQUIRE(wait_for(channel.interest().descriptor, channel.interest().read_events,
                   Clock::now() + std::chrono::seconds(10)));
}

void put(Channel& channel, const std::string& text) {
  const iovec piece = {const_cast<char*>(text.data()), text.size()};
  REQUIRE(channel.write({&piece, 1}) == text.size());
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("a channel that nothing has come on gives nothing") {
  const Pair pair = connected();
  char byte = 0;
  CHECK(pair.one->read(&byte, 1) == 0);
  CHECK(pair.one->peek(8).empty());
  CHECK(pair.one->name() == "there");
}

TEST_CASE("what is peeked at stays until it is consumed, and is read in its order") {
  const Pair pair = connected();
  put(*pair.one, "headerpayload");
  await(*pair.other);
  CHECK(text_of(pair.other->peek(6)) == "header");
  CHECK(text_of(pair.other->peek(3)) == "hea");
  pair.other->consume(6);
  char payload[7];
  REQUIRE(pair.other->read(payload, 7) == 7);
  CHECK(std::string(payload, 7) == "payload");
  CHECK(pair.other->peek(1).empty());
}

TEST_CASE("pieces of every size, read and peeked at in turn, come out as they went in") {
  const Pair pair = connected();
  std::vector<std::uint32_t> sent(1500000);
  std::iota(sent.begin(), sent.end(), 0U);
  std::vector<std::uint32_t> come(sent.size());
  const std::size_t size = sent.size() * sizeof sent[0];
  auto* const from = reinterpret_cast<char*>(sent.data());
  auto* const to = reinterpret_cast<char*>(come.data());
  std::mt19937 random(3);
  std::size_t gone = 0;
  const Deadline deadline = Clock::now() + std::chrono::seconds(60);
  for (std::size_t got = 0; got < size && Clock::now() < deadline;) {
    const auto piece = [&](std::size_t from_where) {
      const std::size_t most = random() % 2 == 0 ? 100 : 1000000;
      return std::min<std::size_t>(1 + random() % most, size - from_where);
    };
    if (gone < size) {
      const std::size_t first = piece(gone);
      const std::size_t second = piece(gone + first < size ? gone + first : gone);
      const iovec pieces[] = {{from + gone, first}, {from + gone + first, gone + first < size ? second : 0}};
      gone += pair.one->write(pieces);
    }
    if (random() % 2 == 0) {
      got += pair.other->read(to + got, piece(got));
    } else {
      const auto bytes = pair.other->peek(piece(got));
      std::copy_n(reinterpret_cast<const char*>(bytes.data()), bytes.size(), to + got);
      pair.other->consume(bytes.size());
      got += bytes.size();
    }
  }
  CHECK((come == sent));
}

TEST_CASE("the end is told after all that came before it") {
  Pair pair = connected();
  const bool large = GENERATE(false, true);
  put(*pair.one, "last words");
  pair.one.reset();
  await(*pair.other);
  std::vector<char> words(large ? 100000 : 10);
  CHECK(pair.other->read(words.data(), words.size()) == 10);
  CHECK(std::string(words.data(), 10) == "last words");
  await(*pair.other);
  CHECK_THROWS_WITH(pair.other->read(words.data(), words.size()), "it closed the connection");
  CHECK_THROWS_AS(pair.other->peek(1), Broken);
}

TEST_CASE("writing to a connection that is gone is broken") {
  Pair pair = connected();
  pair.other.reset();
  const std::string text(1000, 'x');
  const iovec piece = {const_cast<char*>(text.data()), text.size()};
  const auto write_on = [&] {
    const Deadline deadline = Clock::now() + std::chrono::seconds(10);
    while (Clock::now() < deadline) pair.one->write({&piece, 1});
  };
  CHECK_THROWS_AS(write_on(), Broken);
}

TEST_CASE("a channel takes no more than the connection holds, and says when it takes more") {
  const Pair pair = connected();
  const std::string much(32 << 20, 'x');
  const iovec piece = {const_cast<char*>(much.data()), much.size()};
  const std::size_t taken = pair.one->write({&piece, 1});
  CHECK(taken < much.size());
  const Channel::Interest interest = pair.one->interest();
  CHECK(interest.write_events == POLLOUT);
  CHECK(interest.read_events == POLLIN);
}
