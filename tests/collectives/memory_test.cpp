// What the library adds to a rank's memory, whatever the size of the messages.
#include <sys/resource.h>

#include <algorithm>

#include "collectives/ranks.hpp"
#include "support/catch.hpp"

using jackal::Dtype;
using jackal::Group;
using jackal::Op;

namespace {

constexpr int kRanks = 8;
constexpr long kMost = 64 << 20;

// The most that this process has had in memory so far.
long peak_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
#if defined(__APPLE__)
  return usage.ru_maxrss;
#else
  return usage.ru_maxrss * 1024;
#endif
}

}  // namespace

TEST_CASE("the library adds at most 64 MiB to each of 8 ranks") {
  const char* transport = GENERATE("shm", "tcp");
  const ranks::Job job(kRanks, {{"JACKAL_TRANSPORT", transport}});
  const auto reports = ranks::fork_and_run(kRanks, [&](int rank) -> std::string {
    const std::size_t chunk = 1 << 20;
    std::vector<float> in(chunk * kRanks, 1.0F);
    std::vector<float> out(chunk * kRanks, 2.0F);
    const long before = peak_bytes();
    Group group = jackal::init(job.options(rank));
    group.all_reduce(in, out, Op::sum);
    group.all_to_all(in, out);
    group.all_gather(in.data(), out.data(), chunk, Dtype::float32);
    group.reduce_scatter(in.data(), out.data(), chunk, Dtype::float32, Op::max);
    group.broadcast(out, 3);
    // Everybody writes to everybody before anybody has asked.
    std::vector<jackal::Handle> handles;
    for (int peer = 0; peer < kRanks; ++peer)
      for (int i = 0; i < 200; ++i)
        handles.push_back(group.send_async(in.data(), 4096, Dtype::float32, peer));
    group.barrier();
    for (int peer = 0; peer < kRanks; ++peer)
      for (int i = 0; i < 200; ++i) group.recv(out.data(), 4096, Dtype::float32, peer);
    jackal::Handle::wait_all(handles);
    const long added = peak_bytes() - before;
    return added <= kMost ? "fine" : "added " + std::to_string(added >> 20) + " MiB";
  });
  for (const std::string& report : reports) CHECK(report == "fine");
}

TEST_CASE("counts beyond 2^31 elements", "[.long]") {
  const char* transport = GENERATE("shm", "tcp");
  ranks::run(ranks::Job(2, {{"JACKAL_TRANSPORT", transport}, {"JACKAL_TIMEOUT", "600"}}), [](Group& group) {
    const std::size_t count = (std::size_t{1} << 31) + 7;
    std::vector<std::uint8_t> data(count, static_cast<std::uint8_t>(1 + group.rank()));
    group.all_sum(data, data);
    const auto wrong = [](std::uint8_t value) { return value != 3; };
    if (std::any_of(data.begin(), data.end(), wrong)) throw std::runtime_error("wrong sum");
    if (group.rank() == 0) group.send(data, 1);
    if (group.rank() == 1) group.recv(data, 0);
    group.broadcast(data, 1);
    if (std::any_of(data.begin(), data.end(), wrong)) throw std::runtime_error("wrong bytes");
  });
  SUCCEED();
}
