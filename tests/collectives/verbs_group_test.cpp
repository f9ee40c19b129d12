// Groups whose ranks, threads of this process, reach each other over the fake provider.

#include <mutex>
#include <thread>

#include "support/catch.hpp"
#include "verbs_job.hpp"

namespace {

using namespace verbs_desk;
using jackal::Code;
using jackal::Error;
using jackal::Group;

fakeverbs::Counts live_on(const Desk& desk) {
  const fakeverbs::Lock lock(world());
  return world().devices[desk.numbers[0]].live;
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

TEST_CASE("whatever befalls a device ends the call on every rank, names the device, and leaves nothing") {
  const Desk desk = mesh(3, 1);
  const Fault fault = any_fault(world().devices[desk.numbers[0]]);
  const auto errors = ranks::errors(job_on(desk, {{"JACKAL_TIMEOUT", "30"}}), [&](Group& group) {
    group.barrier();
    if (group.rank() == 0) fault.strike();
    for (;;) use(group, 1000);
  });
  for (const auto& error : errors) {
    REQUIRE(error);
    CAPTURE(error->what());
    CHECK(error->code() == Code::peer_lost);
    CHECK(std::string(error->what()).find(desk.devices[0][1][0]) != std::string::npos);
    CHECK(std::string(error->what()).find(fault.words) != std::string::npos);
  }
  expect_no_objects(desk);
}

TEST_CASE("where nothing arrives any more the call ends with its time on every rank") {
  const Desk desk = mesh(2, 1);
  const auto errors = ranks::errors(job_on(desk, {{"JACKAL_TIMEOUT", "30"}}), [&](Group& group) {
    use(group, 1000);
    {
      const fakeverbs::Lock lock(world());
      for (const int number : desk.numbers) world().devices[number].loss_ppm = 1'000'000;
    }
    std::vector<float> data(1000);
    group.all_sum(data, data, {.timeout = std::chrono::milliseconds(500)});
  });
  for (const auto& error : errors) {
    REQUIRE(error);
    CHECK(error->code() == Code::timeout);
  }
  expect_no_objects(desk);
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
    all.emplace("JACKAL_TIMEOUT", "8");
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

TEST_CASE("the parts of a group share its queue pairs, and are used beside it") {
  const Desk desk = mesh(4, 1);
  const int loss_ppm = GENERATE(0, 20'000);
  for (const int number : desk.numbers) world().devices[number].loss_ppm = loss_ppm;
  ranks::run(job_on(desk), [&](Group& group) {
    Group part = group.split(group.rank() % 2, 0);
    Group turned = group.split(0, -group.rank());
    // All ranks are threads of this process.
    if (live_on(desk).queue_pairs != 2) throw std::runtime_error("more queue pairs");
    std::exception_ptr thrown;
    std::thread other([&] {
      try {
        for (int i = 0; i < 5; ++i) use(part, 20'000);
      } catch (...) {
        thrown = std::current_exception();
      }
    });
    for (int i = 0; i < 5; ++i) use(turned, 20'000);
    for (int i = 0; i < 5; ++i) use(group, 20'000);
    other.join();
    if (thrown) std::rethrow_exception(thrown);
    group.barrier();
  });
  expect_no_objects(desk);
}

TEST_CASE("a part lives on when the group that it came from has gone") {
  const Desk desk = mesh(3, 2);
  ranks::run(job_on(desk), [&](Group& group) {
    std::optional<Group> whole(std::move(group));
    Group part = whole->split(whole->rank() == 1 ? 1 : 0, 0);
    whole.reset();
    use(part, 10'000);
    Group again = part.split(0, 1 - part.rank());
    use(again, 10'000);
  });
  expect_no_objects(desk);
}

TEST_CASE("parts come and go, and each takes the place of the one before") {
  const Desk desk = mesh(2, 1);
  for (const int number : desk.numbers) world().devices[number].loss_ppm = 10'000;
  ranks::run(job_on(desk), [&](Group& group) {
    for (int i = 0; i < 20; ++i) {
      Group part = group.split(0, i % 2 * group.rank());
      use(part, 3000);
    }
    if (live_on(desk).regions > 3) throw std::runtime_error("more regions");
    use(group, 100);
  });
  expect_no_objects(desk);
}

TEST_CASE("parts beyond those that a connection carries do without RDMA") {
  const Desk desk = mesh(2, 1);
  ranks::run(job_on(desk), [&](Group& group) {
    std::vector<Group> parts;
    for (int i = 0; i < 5; ++i) parts.push_back(group.split(0, 0));
    for (Group& part : parts) use(part, 1000);
    use(group, 1000);
  });
  expect_no_objects(desk);
}

TEST_CASE("a device that fails ends its group and the parts of it") {
  const Desk desk = mesh(2, 1);
  const auto errors = ranks::errors(job_on(desk, {{"JACKAL_TIMEOUT", "30"}}), [&](Group& group) {
    Group part = group.split(0, 0);
    use(part, 10);
    if (group.rank() == 0) {
      const fakeverbs::Lock lock(world());
      world().devices[desk.numbers[0]].active = false;
    }
    bool told = false;
    try {
      for (;;) use(part, 1000);
    } catch (const Error& error) {
      told = error.code() == Code::peer_lost;
    }
    if (!told) throw std::runtime_error("the part was not told");
    for (;;) use(group, 1000);
  });
  for (const auto& error : errors) {
    REQUIRE(error);
    CHECK(error->code() == Code::peer_lost);
  }
  expect_no_objects(desk);
}

TEST_CASE("a job that is set up as a ring works where its ranks, or some of them, form none") {
  ranks::run(job_on(mesh(2, 1), {{"BACKEND", "jaccl-ring"}}), [](Group& group) { use(group, 1000); });
  ranks::run(job_on(ring(4, 1), {{"BACKEND", "jaccl-ring"}}), [](Group& group) {
    use(group, 1000);
    Group pair = group.split(group.rank() / 2, 0);
    use(pair, 1000);
    Group three = group.split(group.rank() == 0 ? 1 : 0, 0);
    use(three, 1000);
  });
}
