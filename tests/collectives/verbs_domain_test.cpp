#include "transports/verbs/domain.hpp"

#include <poll.h>
#include <unistd.h>

#include <barrier>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <random>
#include <thread>

#include "fakeverbs/world.hpp"
#include "support/catch.hpp"
#include "verbs_desk.hpp"

namespace {

using namespace jackal::collectives;
using namespace std::chrono_literals;
using namespace verbs_desk;

// Ranks as threads of this process; what one shares, all get.
class Ranks {
public:
  explicit Ranks(int size) : size_(size), barrier_(size), shared_(static_cast<std::size_t>(size)) {}

  ShareBytes share(int rank) {
    return [this, rank](const std::string& mine) {
      shared_[static_cast<std::size_t>(rank)] = mine;
      barrier_.arrive_and_wait();
      std::vector<std::string> all = shared_;
      barrier_.arrive_and_wait();
      return all;
    };
  }

  /// Runs `body` for every rank; what each threw, "" for nothing.
  std::vector<std::string> run(const std::function<void(int rank)>& body) {
    std::vector<std::string> errors(static_cast<std::size_t>(size_));
    std::vector<std::thread> threads;
    for (int rank = 0; rank < size_; ++rank)
      threads.emplace_back([&, rank] {
        try {
          body(rank);
        } catch (const std::exception& error) {
          errors[static_cast<std::size_t>(rank)] = error.what();
        }
      });
    for (std::thread& thread : threads) thread.join();
    return errors;
  }

private:
  int size_;
  std::barrier<> barrier_;
  std::vector<std::string> shared_;
};

VerbsOptions options_of(bool checksum = false) {
  VerbsOptions options;
  options.library = FAKE_VERBS_LIBRARY;
  options.apple_limits = true;
  options.checksum = checksum;
  return options;
}

std::unique_ptr<VerbsDomain> connect(Ranks& ranks, int rank, int size, const Desk& desk,
                                     const VerbsOptions& options = options_of(),
                                     std::chrono::milliseconds patience = 300ms) {
  return VerbsDomain::connect(rank, size, std::vector<std::string>(static_cast<std::size_t>(size), "mac"),
                              desk.devices, std::vector<bool>(static_cast<std::size_t>(size), true), options,
                              ranks.share(rank), Clock::now() + patience);
}

void send_all(Channel& channel, const std::vector<std::byte>& bytes, Deadline deadline) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const iovec piece = {const_cast<std::byte*>(bytes.data()) + done, bytes.size() - done};
    done += channel.write({&piece, 1});
    if (Clock::now() > deadline) throw std::runtime_error("sending took too long");
  }
}

std::vector<std::byte> receive_all(Channel& channel, std::size_t size, Deadline deadline) {
  std::vector<std::byte> bytes(size);
  std::size_t done = 0;
  while (done < size) {
    done += channel.read(bytes.data() + done, size - done);
    if (Clock::now() > deadline) throw std::runtime_error("receiving took too long");
  }
  return bytes;
}

std::vector<std::byte> pattern(int from, int to, std::size_t size) {
  std::mt19937 random(static_cast<unsigned>(1000 * from + to));
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

/// Every rank sends to every other over all channels at once and checks what it gets.
std::vector<std::string> talk(int size, const Desk& desk, std::size_t bytes,
                              const VerbsOptions& options = options_of(), std::uint64_t* repairs = nullptr) {
  Ranks ranks(size);
  std::mutex guard;
  return ranks.run([&](int rank) {
    auto domain = connect(ranks, rank, size, desk, options);
    const Deadline deadline = Clock::now() + 60s;
    std::vector<std::thread> helpers;
    std::vector<std::string> failures;
    const auto aside = [&](auto action) {
      helpers.emplace_back([&, action] {
        try {
          action();
        } catch (const std::exception& error) {
          const std::lock_guard lock(guard);
          failures.push_back(error.what());
        }
      });
    };
    for (int peer = 0; peer < size; ++peer) {
      if (peer == rank) continue;
      std::vector<Channel*> channels = domain->cables(peer);
      if (domain->messages(peer) != nullptr) channels.push_back(domain->messages(peer));
      for (Channel* channel : channels) {
        aside([=] { send_all(*channel, pattern(rank, peer, bytes), deadline); });
        aside([=] {
          if (receive_all(*channel, bytes, deadline) != pattern(peer, rank, bytes))
            throw std::runtime_error("other bytes came than were sent");
        });
      }
    }
    for (std::thread& helper : helpers) helper.join();
    if (repairs != nullptr) {
      const std::lock_guard lock(guard);
      *repairs += domain->repairs();
    }
    domain.reset();
    if (!failures.empty()) throw std::runtime_error(failures.front());
  });
}

void expect_all_well(const std::vector<std::string>& errors) {
  for (const std::string& error : errors) CHECK(error == "");
}

void expect_all_say(const std::vector<std::string>& errors, const std::string& text) {
  for (const std::string& error : errors) {
    CAPTURE(error);
    CHECK(error.find(text) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("two ranks exchange bytes over one, two and three cables within Apple's limits") {
  for (const int cables : {1, 2, 3}) {
    const Desk desk = mesh(2, cables);
    expect_all_well(talk(2, desk, 300'001));
    expect_no_objects(desk);
  }
  CHECK(world().over_posts == 0);
  CHECK(world().frame_mismatches == 0);
  CHECK(world().without_receive == 0);
  CHECK(world().foreign_memory == 0);
}

TEST_CASE("four ranks exchange bytes in a mesh") {
  const Desk desk = mesh(4, 1);
  expect_all_well(talk(4, desk, 100'000));
  expect_no_objects(desk);
}

TEST_CASE("eight ranks on one device each stay within its queue pairs and 64 MiB") {
  const Desk desk = star(8);
  Ranks ranks(8);
  expect_all_well(ranks.run([&](int rank) {
    const auto domain = connect(ranks, rank, 8, desk);
    if (domain->queue_pairs() > 10 || domain->memory_bytes() > (64u << 20))
      throw std::runtime_error("too much");
    for (int peer = 0; peer < 8; ++peer)
      if (peer != rank && domain->cables(peer).size() != 1) throw std::runtime_error("not all are connected");
  }));
  expect_no_objects(desk);
}

TEST_CASE("twelve ranks on one device each keep the ten nearest neighbours") {
  const Desk desk = star(12);
  Ranks ranks(12);
  expect_all_well(ranks.run([&](int rank) {
    const auto domain = connect(ranks, rank, 12, desk);
    if (domain->queue_pairs() > 10) throw std::runtime_error("too many queue pairs");
    for (int peer = 0; peer < 12; ++peer) {
      const bool opposite = peer == (rank + 6) % 12;
      if (peer != rank && domain->cables(peer).empty() != opposite)
        throw std::runtime_error("not the nearest ten");
    }
  }));
  expect_no_objects(desk);
}

TEST_CASE("lost messages are sent again") {
  const Desk desk = mesh(2, 2);
  for (const int number : desk.numbers) world().devices[number].loss_ppm = 100'000;
  std::uint64_t repairs = 0;
  expect_all_well(talk(2, desk, 3'000'000, options_of(), &repairs));
  CHECK(repairs > 0);
}

TEST_CASE("with checksums damaged messages are sent again") {
  const Desk desk = mesh(2, 1);
  for (const int number : desk.numbers) world().devices[number].damage_ppm = 100'000;
  expect_all_well(talk(2, desk, 200'000, options_of(true)));
}

TEST_CASE("what is wrong with a device is said on every rank, with what to do") {
  Desk desk = mesh(2, 1);
  Ranks ranks(2);
  const auto try_to_connect = [&] { return ranks.run([&](int rank) { connect(ranks, rank, 2, desk); }); };
  fakeverbs::Device& first = world().devices[desk.numbers[0]];
  SECTION("the port is down") {
    first.active = false;
    const auto errors = try_to_connect();
    expect_all_say(errors, "rank 0 (mac): RDMA device " + desk.devices[0][1][0] + ": its port is down");
  }
  SECTION("no address comes") {
    first.gid_ms = -1;
    expect_all_say(try_to_connect(), "has no IPv4 address");
  }
  SECTION("no such device") {
    desk.devices[1][0][0] = "rdma_nowhere";
    expect_all_say(try_to_connect(), "RDMA device rdma_nowhere: there is no such device; there are: ");
  }
  SECTION("no queue pair is left") {
    first.live.queue_pairs = 10;
    expect_all_say(try_to_connect(), "all queue pairs of the device are in use");
    first.live.queue_pairs = 0;
  }
  SECTION("no region is left") {
    first.live.regions = 100;
    expect_all_say(try_to_connect(), "no more memory regions");
    first.live.regions = 0;
  }
  SECTION("the cables are swapped") {
    const Desk other = mesh(2, 1);
    world().devices[desk.numbers[0]].peer = other.numbers[1];
    expect_all_say(try_to_connect(), "is the cable the one that the host file names?");
  }
  SECTION("the matrix is not symmetric") {
    desk.devices[0][1].push_back("rdma_more");
    expect_all_say(try_to_connect(), "names 2 devices from rank 0 to rank 1, but 1 the other way");
  }
  expect_no_objects(desk);
}

TEST_CASE("an address may come late, and stand anywhere in the table") {
  const Desk desk = mesh(2, 1);
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  world().devices[desk.numbers[0]].gid_ms = std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000 + 100;
  world().devices[desk.numbers[1]].gid_index = 2;
  expect_all_well(talk(2, desk, 1000));
}

TEST_CASE("there is a word for a missing library") {
  const Desk desk = mesh(2, 1);
  Ranks ranks(2);
  VerbsOptions options;
  options.library = "/nowhere/libibverbs.so";
  expect_all_say(ranks.run([&](int rank) { connect(ranks, rank, 2, desk, options); }), "no verbs library");
}

TEST_CASE("a channel that breaks says why") {
  const Desk desk = mesh(2, 1);
  Ranks ranks(2);
  fakeverbs::Device& first = world().devices[desk.numbers[0]];
  const Fault fault = any_fault(first);
  const auto errors = ranks.run([&](int rank) {
    const auto domain = connect(ranks, rank, 2, desk);
    ranks.share(rank)("");
    if (rank == 0) fault.strike();
    const Deadline deadline = Clock::now() + 5s;
    Channel& channel = *domain->cables(1 - rank).front();
    const std::vector<std::byte> bytes(100);
    const iovec piece = {const_cast<std::byte*>(bytes.data()), bytes.size()};
    if (rank == 0)
      for (;;) {
        channel.write({&piece, 1});
        std::byte to[1];
        channel.read(to, 1);
        if (Clock::now() > deadline) return;
      }
  });
  CAPTURE(errors[0]);
  CHECK(errors[0].find(fault.words) != std::string::npos);
  CHECK(errors[1] == "");
  first.gone = false;
  expect_no_objects(desk);
}
