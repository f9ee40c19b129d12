// What libjackal is told of a configuration.
#include "bootstrap.hpp"

#include "collectives/ranks.hpp"
#include "collectives/verbs_desk.hpp"
#include "jobs.hpp"
#include "support/catch.hpp"

using jobs::contains;
using jobs::Environment;

namespace {

// How two ranks on these devices would add up, or why they cannot.
std::string explanation(const jobs::Devices& devices, bool ring) {
  const std::string coordinator = "127.0.0.1:" + std::to_string(ranks::free_port());
  std::string text;
  ranks::as_threads(2, [&](int rank) {
    const std::string why = jobs::thrown([&] {
      jackal::Group group = jaccl::meet({rank, coordinator, ring, false, devices});
      if (rank == 0) text = group.explain("all_reduce", 1 << 20);
      group.barrier();
    });
    if (rank == 0 && !why.empty()) text = "threw " + why;
  });
  return text;
}

}  // namespace

TEST_CASE("a ring is taken where it is preferred, whatever a launcher has set") {
  jobs::Variables variables = jobs::over_rdma();
  variables["JACCL_RING"] = variables["MLX_JACCL_RING"] = "yes";
  const Environment environment(variables);
  const verbs_desk::Desk desk = verbs_desk::mesh(2, 1);
  CHECK(contains(explanation(desk.devices, true), "JACKAL_ALGORITHM=ring is taken"));
  CHECK_FALSE(contains(explanation(desk.devices, false), "JACKAL_ALGORITHM=ring is taken"));
}

TEST_CASE("ranks of one host share memory unless the user says otherwise") {
  jobs::Variables variables = jobs::without_rdma("tcp");
  {
    const Environment environment(variables);
    CHECK_FALSE(contains(explanation(jobs::mesh(2), false), "memory that all ranks share"));
  }
  variables.erase("JACKAL_TRANSPORT");
  const Environment environment(variables);
  CHECK(contains(explanation(jobs::mesh(2), false), "memory that all ranks share"));
}
