// Messages between two ranks: matched by rank, tag and order, of any size, both ways at once.
#include <algorithm>
#include <numeric>

#include "collectives/ranks.hpp"
#include "group/envelope.hpp"
#include "support/catch.hpp"

using jackal::Code;
using jackal::Dtype;
using jackal::Group;
using jackal::Handle;

namespace {

void require(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(what);
}

ranks::Job job_over(const char* transport, int size) {
  return ranks::Job(size, {{"JACKAL_TRANSPORT", transport}});
}

std::vector<int> sequence(std::size_t count, int first) {
  std::vector<int> made(count);
  std::iota(made.begin(), made.end(), first);
  return made;
}

}  // namespace

TEST_CASE("messages of every size arrive whole, one way after the other and both at once") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(job_over(transport, 2), [](Group& group) {
    const int other = 1 - group.rank();
    for (const std::size_t count : {0U, 1U, 1000U, 16384U, 16385U, 3000001U}) {
      std::vector<int> data = sequence(count, static_cast<int>(count));
      if (group.rank() == 0) {
        group.send(data, other, 3);
      } else {
        std::vector<int> got(count);
        group.recv(got, other, 3);
        require(got == data, "one way");
      }
      std::vector<int> in = sequence(count, group.rank());
      std::vector<int> out(count);
      group.sendrecv(in.data(), count, other, out.data(), count, other, Dtype::int32);
      require(out == sequence(count, other), "both ways");
    }
  });
}

TEST_CASE("messages are told apart by tag, and come in order within one") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(job_over(transport, 2), [](Group& group) {
    if (group.rank() == 0) {
      for (int i = 0; i < 50; ++i) group.send(sequence(10, i), 1, i % 2);
      group.send(sequence(100000, 7), 1, 2);
      return;
    }
    std::vector<int> large(100000);
    Handle handle = group.recv_async(large.data(), large.size(), Dtype::int32, 0, 2);
    for (const int tag : {1, 0})
      for (int i = tag; i < 50; i += 2) {
        std::vector<int> got(10);
        group.recv(got, 0, tag);
        require(got == sequence(10, i), "wrong order");
      }
    handle.wait();
    require(large == sequence(100000, 7), "wrong bytes");
  });
}

TEST_CASE("a rank may send a bounded amount to one that has not asked yet") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(job_over(transport, 2), [](Group& group) {
    std::vector<int> data = sequence(1000, 0);
    // More than the receiver promises room for, so some wait at the sender.
    std::vector<Handle> handles;
    for (int i = 0; i < 1000 && group.rank() == 0; ++i)
      handles.push_back(group.send_async(data.data(), data.size(), Dtype::int32, 1));
    group.barrier();
    for (int i = 0; i < 1000 && group.rank() == 1; ++i) {
      std::vector<int> got(1000);
      group.recv(got, 0);
      require(got == data, "wrong bytes");
    }
    Handle::wait_all(handles);
  });
}

TEST_CASE("messages go on beside a collective operation that waits") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(job_over(transport, 3), [](Group& group) {
    std::vector<int> data = sequence(500000, 5);
    std::vector<int> got(500000);
    // Rank 2 comes to the barrier only after the others have exchanged messages beside it.
    if (group.rank() == 2) {
      int word = 0;
      group.recv(&word, 1, Dtype::int32, 1, 9);
      group.barrier();
      return;
    }
    const int other = 1 - group.rank();
    Handle barrier = group.barrier_async();
    Handle receive = group.recv_async(got.data(), got.size(), Dtype::int32, other);
    Handle send = group.send_async(data.data(), data.size(), Dtype::int32, other);
    receive.wait();
    send.wait();
    require(got == data, "wrong bytes");
    if (group.rank() == 1) group.send(sequence(1, 0), 2, 9);
    barrier.wait();
  });
}

TEST_CASE("a rank may write to itself") {
  const int size = GENERATE(1, 2);
  ranks::run(ranks::Job(size), [](Group& group) {
    const std::vector<int> data = sequence(200000, 1);
    std::vector<int> got(200000);
    group.sendrecv(data.data(), data.size(), group.rank(), got.data(), got.size(), group.rank(), Dtype::int32,
                   4);
    require(got == data, "sendrecv");
    std::fill(got.begin(), got.end(), 0);
    Handle handle = group.recv_async(got.data(), got.size(), Dtype::int32, group.rank());
    group.send(data, group.rank());
    handle.wait();
    require(got == data, "recv_async");
  });
}

TEST_CASE("all ranks may write to all at once") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(job_over(transport, 4), [](Group& group) {
    std::vector<std::vector<int>> out;
    std::vector<std::vector<int>> in;
    std::vector<Handle> handles;
    for (int peer = 0; peer < 4; ++peer) {
      in.push_back(sequence(70000, 10 * group.rank() + peer));
      out.emplace_back(70000);
    }
    for (int peer = 0; peer < 4; ++peer) {
      const auto at = static_cast<std::size_t>(peer);
      handles.push_back(group.send_async(in[at].data(), in[at].size(), Dtype::int32, peer));
      handles.push_back(group.recv_async(out[at].data(), out[at].size(), Dtype::int32, peer));
    }
    Handle::wait_all(handles);
    for (int peer = 0; peer < 4; ++peer)
      require(out[static_cast<std::size_t>(peer)] == sequence(70000, 10 * peer + group.rank()),
              "wrong bytes");
  });
}

TEST_CASE("arguments of messages that cannot be are refused, and the group lives on") {
  ranks::run(ranks::Job(2), [](Group& group) {
    int word = 0;
    const auto refused = [&](auto call) {
      try {
        call();
      } catch (const jackal::Error& error) {
        return error.code() == Code::invalid_argument;
      }
      return false;
    };
    require(refused([&] { group.send(&word, 1, Dtype::int32, 2); }), "rank 2 of 2");
    require(refused([&] { group.send(&word, 1, Dtype::int32, -1); }), "rank -1");
    require(refused([&] { group.recv(&word, 1, Dtype::int32, 0, -1); }), "tag -1");
    require(refused([&] { group.recv(nullptr, 1, Dtype::int32, 0); }), "null");
    require(refused([&] { group.recv(&word, 1, static_cast<Dtype>(14), 0); }), "no type");
    require(refused([&] { group.recv(&word, ~std::size_t{0}, Dtype::int32, 0); }), "too many");
    group.barrier();
  });
}

TEST_CASE("an envelope comes back as it went, and nothing else is taken for one") {
  using jackal::collectives::Envelope;
  Envelope envelope;
  envelope.kind = Envelope::Kind::eager;
  envelope.dtype = Dtype::int16;
  envelope.source = 1;
  envelope.destination = 2;
  envelope.tag = 7;
  envelope.count = 5;
  envelope.id = 9;
  envelope.payload = 10;
  CHECK(Envelope::decode(envelope.encode(), 3) == envelope);
  CHECK_FALSE(Envelope::decode(envelope.encode(), 2));  // no such rank
  const auto refused = [&](auto change) {
    Envelope other = envelope;
    change(other);
    return !Envelope::decode(other.encode(), 3);
  };
  CHECK(refused([](Envelope& other) { other.payload = 11; }));
  CHECK(refused([](Envelope& other) { other.count = 1ULL << 63; }));
  CHECK(refused([](Envelope& other) { other.source = 2; }));
  CHECK(refused([](Envelope& other) { other.kind = static_cast<Envelope::Kind>(9); }));
  CHECK(refused([](Envelope& other) { other.dtype = static_cast<Dtype>(14); }));
  CHECK(refused([](Envelope& other) { other.kind = Envelope::Kind::data, other.payload = 1U << 30; }));
  CHECK(refused([](Envelope& other) { other.kind = Envelope::Kind::request, other.count = 1ULL << 62; }));
  CHECK_FALSE(Envelope::decode({}, 3));
}
