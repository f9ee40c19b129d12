// A group that cannot be had: nullptr, or an error that a person can act on.
#include "collectives/ranks.hpp"
#include "jobs.hpp"
#include "support/catch.hpp"

using jaccl::Config;
using jobs::contains;
using jobs::Environment;

namespace {

std::string why_not(const Config& config) {
  CHECK(jaccl::init(config) == nullptr);
  CHECK(jaccl::init(config, false) == nullptr);
  return jobs::thrown([&] { jaccl::init(config, true); });
}

}  // namespace

TEST_CASE("init says what is wrong with a configuration") {
  const Config complete = jobs::config(3).set_rank(0);
  CHECK(contains(why_not(Config()), "there is no device matrix"));
  CHECK(contains(why_not(Config(complete).set_devices(jobs::Devices{{{}}})),
                 "of one rank, expected two or more"));
  CHECK(
      contains(why_not(Config(complete).set_devices({{{}, {"a"}, {}}, {{"b"}, {}, {"c"}}, {{}, {"d"}, {}}})),
               "of 3 ranks is neither a mesh"));
  CHECK(contains(why_not(Config(complete).set_rank(-1)), "has no rank"));
  CHECK(contains(why_not(Config(complete).set_rank(3)), "rank 3 is none of its 3 ranks, counted from 0"));
  CHECK(contains(why_not(Config(complete).set_coordinator("")), "nothing says where its ranks meet"));
}

TEST_CASE("init says what is wrong with an address") {
  const Environment environment(jobs::without_rdma("auto"));
  const Config complete = jobs::config(2).set_rank(0);
  CHECK(contains(why_not(Config(complete).set_coordinator("127.0.0.1")),
                 "is \"127.0.0.1\", expected ADDRESS:PORT"));
  CHECK(contains(why_not(Config(complete).set_coordinator("192.0.2.1:5000")), "cannot listen at"));
}

TEST_CASE("ranks that do not come are named when the time is over") {
  const Environment environment(jobs::without_rdma("auto", 1));
  const std::string why = jobs::thrown([] { jaccl::init(jobs::config(3).set_rank(0), true); });
  CAPTURE(why);
  CHECK(contains(why, "rank"));
  CHECK(contains(why, "1"));
  CHECK(contains(why, "2"));
}

TEST_CASE("an all-gather function that fails is the reason") {
  Config config = Config().set_devices(jobs::mesh(2)).set_rank(1);
  config.set_all_gather([](const char*, char*, size_t) { throw std::runtime_error("no pigeon came"); });
  CHECK(why_not(config) == "no pigeon came");
}

TEST_CASE("a rank 0 that has no address to give is the reason") {
  Config config = Config().set_devices(jobs::mesh(2)).set_rank(1);
  config.set_all_gather([](const char*, char* dst, size_t n_bytes) { std::fill_n(dst, 2 * n_bytes, '\0'); });
  CHECK(contains(why_not(config), "rank 0 found no address to listen on"));
}
