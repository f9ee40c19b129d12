// Groups whose ranks reach each other by RDMA, over the fake provider.
#include <infiniband/verbs.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <numeric>

#include "ranks.hpp"
#include "support/catch.hpp"
#include "verbs_desk.hpp"

namespace {

using namespace verbs_desk;
using jackal::Code;
using jackal::Error;
using jackal::Group;

// A job on `desk`, set up as JACCL's launcher does.
ranks::Job job_on(const Desk& desk, ranks::Variables more = {}) {
  more["JACKAL_VERBS_LIBRARY"] = FAKE_VERBS_LIBRARY;
  more["JACKAL_VERBS_LIMITS"] = "apple";
  const int size = static_cast<int>(desk.devices.size());
  nlohmann::json hosts = nlohmann::json::array();
  for (const auto& row : desk.devices)
    hosts.push_back({{"ssh", "mac" + std::to_string(hosts.size())}, {"rdma", row}});
  static const ranks::Directory directory;
  static int files = 0;
  const std::string backend = more.count("BACKEND") != 0 ? more["BACKEND"] : "jaccl";
  more.erase("BACKEND");
  more["JACKAL_HOSTFILE"] = directory.write("hosts" + std::to_string(++files),
                                            nlohmann::json({{"backend", backend}, {"hosts", hosts}}).dump());
  return ranks::Job(size, more);
}

// Sums, gathers, exchanges and passes round; throws where a result is wrong.
void use(Group& group, std::size_t count) {
  const int n = group.size();
  const auto expect = [](bool right, const char* what) {
    if (!right) throw std::runtime_error(std::string("wrong result of ") + what);
  };
  std::vector<std::int64_t> mine(count, group.rank() + 1);
  std::vector<std::int64_t> sum(count);
  group.all_sum(mine, sum);
  expect(sum == std::vector<std::int64_t>(count, n * (n + 1) / 2), "all_sum");
  std::vector<std::int64_t> all(count * static_cast<std::size_t>(n));
  group.all_gather(mine, all);
  for (std::size_t i = 0; i < all.size(); ++i)
    expect(all[i] == static_cast<std::int64_t>(i / count) + 1, "all_gather");
  group.broadcast(mine, n - 1);
  expect(mine == std::vector<std::int64_t>(count, n), "broadcast");
  const int to = (group.rank() + n / 2) % n;
  const int from = (group.rank() + n - n / 2) % n;
  std::vector<std::int64_t> got(count);
  const std::vector<std::int64_t> sent(count, group.rank());
  group.sendrecv(sent.data(), count, to, got.data(), count, from, jackal::Dtype::int64);
  expect(got == std::vector<std::int64_t>(count, from), "sendrecv");
  group.barrier();
}

}  // namespace

TEST_CASE("groups work over RDMA in a mesh, in a ring, and over one device") {
  for (const Desk& desk : {mesh(2, 2), mesh(4, 1), ring(4, 2), star(3)}) {
    ranks::run(job_on(desk), [](Group& group) {
      for (const std::size_t count : {std::size_t{1}, std::size_t{1000}, std::size_t{100'000}})
        use(group, count);
    });
    expect_no_objects(desk);
  }
}

TEST_CASE("twelve ranks on one device each work by way of others") {
  const Desk desk = star(12);
  ranks::run(job_on(desk), [](Group& group) { use(group, 100); });
  expect_no_objects(desk);
}

TEST_CASE("a group over RDMA repairs what is lost, and counts it") {
  const Desk desk = mesh(2, 1);
  for (const int number : desk.numbers) world().devices[number].loss_ppm = 50'000;
  std::mutex guard;
  std::uint64_t repairs = 0;
  ranks::run(job_on(desk), [&](Group& group) {
    for (int i = 0; i < 20; ++i) use(group, 20'000);
    const std::lock_guard lock(guard);
    repairs += group.stats().repairs;
  });
  CHECK(repairs > 0);
}

TEST_CASE("a cable that is pulled ends the call on every rank and names the device") {
  const Desk desk = mesh(2, 1);
  const auto errors = ranks::errors(job_on(desk), [&](Group& group) {
    group.barrier();
    if (group.rank() == 0) {
      const fakeverbs::Lock lock(world());
      world().devices[desk.numbers[0]].active = false;
    }
    for (;;) use(group, 1000);
  });
  for (const auto& error : errors) {
    REQUIRE(error);
    CAPTURE(error->what());
    CHECK(std::string(error->what()).find(desk.devices[0][1][0]) != std::string::npos);
  }
}

TEST_CASE("a job that is set up for RDMA does not do without it unless it is told to") {
  const Desk desk = mesh(2, 1);
  world().devices[desk.numbers[1]].active = false;
  const auto errors = ranks::errors(job_on(desk, {{"JACKAL_TIMEOUT", "1"}}), [](Group&) {});
  for (const auto& error : errors) {
    REQUIRE(error);
    CAPTURE(error->what());
    CHECK(error->code() == Code::link_down);
    CHECK(std::string(error->what())
              .find("asks for RDMA: rank 1 (mac1): RDMA device " + desk.devices[1][0][0]) !=
          std::string::npos);
  }
  for (const ranks::Variables& more :
       {ranks::Variables{{"JACKAL_TRANSPORT", "auto"}}, ranks::Variables{{"BACKEND", "jackal"}},
        ranks::Variables{{"JACKAL_TRANSPORT", "tcp"}}}) {
    ranks::Variables all = more;
    all["JACKAL_TIMEOUT"] = "8";
    ranks::run(job_on(desk, all), [](Group& group) { use(group, 10); });
  }
}

TEST_CASE("the parts of a group over RDMA are groups, too") {
  const Desk desk = mesh(4, 1);
  ranks::run(job_on(desk), [](Group& group) {
    Group part = group.split(group.rank() % 2, 0);
    use(part, 500);
    use(group, 500);
  });
  expect_no_objects(desk);
}
