// Groups over RDMA, on the fake provider, and ranks that meet by a function of the program.
#include <atomic>
#include <barrier>

#include "collectives/verbs_desk.hpp"
#include "jobs.hpp"
#include "operations.hpp"
#include "support/catch.hpp"

using jaccl::Config;
using jaccl::Group;
using jobs::Environment;
using operations::Place;
using verbs_desk::Desk;

namespace {

// Every operation, with queue pairs on every device meanwhile and nothing left behind.
void check_on(const Desk& desk, int size, const std::function<Config(int rank)>& config) {
  jobs::run(size, config, [&](Group& group) {
    group.barrier();
    for (const int number : desk.numbers) {
      const fakeverbs::Lock lock(verbs_desk::world());
      if (verbs_desk::world().devices[number].live.queue_pairs == 0)
        throw std::runtime_error("no queue pair on device " + std::to_string(number));
    }
    operations::check_all(group, 3000, Place::apart);
    operations::check_all(group, 1, Place::same);
    group.barrier();
  });
  verbs_desk::expect_no_objects(desk);
}

// How the threads of a test hand each other bytes.
class Gathering {
public:
  explicit Gathering(int size) : all_(static_cast<std::size_t>(size)), step_(size) {}

  jaccl::AllGatherFn function(int rank) {
    return [this, rank](const char* src, char* dst, size_t n_bytes) {
      ++calls_;
      all_[static_cast<std::size_t>(rank)].assign(src, n_bytes);
      step_.arrive_and_wait();
      for (const std::string& one : all_) dst = std::copy(one.begin(), one.end(), dst);
      step_.arrive_and_wait();
    };
  }
  int calls() const { return calls_; }

private:
  std::vector<std::string> all_;
  std::barrier<> step_;
  std::atomic<int> calls_ = 0;
};

}  // namespace

TEST_CASE("RDMA is available where a library knows a device") {
  verbs_desk::mesh(2, 1);
  const auto available = [](const std::string& name, const std::string& value) {
    jobs::Variables variables = jobs::over_rdma();
    variables[name] = value;
    const Environment environment(variables);
    return jaccl::is_available();
  };
  CHECK(available("JACKAL_VERBS_LIBRARY", FAKE_VERBS_LIBRARY));
  CHECK_FALSE(available("JACKAL_VERBS_LIBRARY", "/nowhere/libibverbs.so"));
  CHECK_FALSE(available("FAKE_VERBS_NODE", "99"));  // whose devices there are none of
}

TEST_CASE("meshes and rings work over RDMA") {
  const Environment environment(jobs::over_rdma());
  for (const Desk& desk : {verbs_desk::mesh(2, 1), verbs_desk::mesh(3, 2), verbs_desk::ring(4, 2)}) {
    const Config common = jobs::config(desk.devices);
    check_on(desk, common.get_size(), [&](int rank) { return Config(common).set_rank(rank); });
  }
}

TEST_CASE("a ring may be preferred, in a mesh and where there is nothing else") {
  const Environment environment(jobs::over_rdma());
  for (const Desk& desk : {verbs_desk::mesh(4, 1), verbs_desk::ring(5, 1)}) {
    const Config common = jobs::config(desk.devices).prefer_ring();
    check_on(desk, common.get_size(), [&](int rank) { return Config(common).set_rank(rank); });
  }
}

TEST_CASE("ranks meet by a function of the program, without a coordinator") {
  const Environment environment(jobs::over_rdma());
  const Desk desk = verbs_desk::mesh(3, 1);
  Gathering gathering(3);
  check_on(desk, 3, [&](int rank) {
    return Config().set_rank(rank).set_devices(desk.devices).set_all_gather(gathering.function(rank));
  });
  CHECK(gathering.calls() > 0);
}

TEST_CASE("a factory of such functions is asked once by each rank, who it is") {
  const Environment environment(jobs::over_rdma());
  const Desk desk = verbs_desk::ring(3, 1);
  Gathering gathering(3);
  std::atomic<int> asked = 0;
  check_on(desk, 3, [&](int rank) {
    return Config().set_rank(rank).set_devices(desk.devices).set_all_gather_factory([&](int own, int size) {
      asked += size * 100 + own;
      return gathering.function(own);
    });
  });
  CHECK(asked == 3 * 300 + 0 + 1 + 2);
  CHECK(gathering.calls() > 0);
}

TEST_CASE("a pulled cable ends the call on every rank") {
  const Environment environment(jobs::over_rdma());
  const Desk desk = verbs_desk::mesh(2, 1);
  std::atomic<int> told = 0;
  jobs::run(jobs::config(desk.devices), [&](Group& group) {
    group.barrier();
    if (group.rank() == 0) {
      const fakeverbs::Lock lock(verbs_desk::world());
      verbs_desk::world().devices[desk.numbers[0]].active = false;
    }
    const std::string why = jobs::thrown([&] {
      for (;;) operations::check_all(group, 100, Place::apart);
    });
    if (jobs::contains(why, desk.devices[0][1][0])) ++told;
  });
  CHECK(told == 2);
}
