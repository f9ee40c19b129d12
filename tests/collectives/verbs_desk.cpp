#include "verbs_desk.hpp"

#include <infiniband/verbs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "support/catch.hpp"

namespace verbs_desk {

using fakeverbs::World;
using jackal::collectives::DeviceMatrix;

World& world() {
  static World& made = [&]() -> World& {
    const auto path = std::filesystem::temp_directory_path() / ("fake-verbs-" + std::to_string(::getpid()));
    World& opened = fakeverbs::open_world(path, true);
    ::setenv("FAKE_VERBS", path.c_str(), 1);
    static const struct Remover {
      std::filesystem::path path;
      ~Remover() { std::filesystem::remove(path); }
    } remover{path};
    return opened;
  }();
  return made;
}

namespace {

std::string fresh_name(const std::string& what) {
  static int made = 0;
  return "rdma_" + what + std::to_string(++made);
}

Desk empty_desk(int size) {
  const auto n = static_cast<std::size_t>(size);
  return {DeviceMatrix(n, std::vector<std::vector<std::string>>(n)), {}};
}

void cable(Desk& desk, std::size_t i, std::size_t j) {
  const std::string a = fresh_name("en");
  const std::string b = fresh_name("en");
  const int first = fakeverbs::add_device(world(), a, 0);
  const int second = fakeverbs::add_device(world(), b, 0);
  fakeverbs::cable(world(), first, second);
  desk.devices[i][j].push_back(a);
  desk.devices[j][i].push_back(b);
  desk.numbers.insert(desk.numbers.end(), {first, second});
}

}  // namespace

Desk mesh(int size, int cables) {
  Desk desk = empty_desk(size);
  for (std::size_t i = 0; i < desk.devices.size(); ++i)
    for (std::size_t j = i + 1; j < desk.devices.size(); ++j)
      for (int k = 0; k < cables; ++k) cable(desk, i, j);
  return desk;
}

Desk ring(int size, int cables) {
  Desk desk = empty_desk(size);
  for (std::size_t i = 0; i < desk.devices.size(); ++i)
    for (int k = 0; k < cables; ++k) cable(desk, i, (i + 1) % desk.devices.size());
  return desk;
}

Desk star(int size) {
  Desk desk = empty_desk(size);
  const std::size_t n = desk.devices.size();
  for (std::size_t i = 0; i < n; ++i) {
    const std::string name = fresh_name("ib");
    desk.numbers.push_back(fakeverbs::add_device(world(), name, 0));
    for (std::size_t j = 0; j < n; ++j)
      if (j != i) desk.devices[i][j].push_back(name);
  }
  return desk;
}

Fault any_fault(fakeverbs::Device& device) {
  const auto locked = [](auto change) {
    return [change] {
      const fakeverbs::Lock lock(world());
      change();
    };
  };
  Fault fault;
  SECTION("its cable is pulled") {
    fault = {"went down", locked([&device] { device.active = false; })};
  }
  SECTION("it vanishes") {
    fault = {"gone", locked([&device] { device.gone = true; })};
  }
  SECTION("a completion fails") {
    fault = {"local length error", locked([&device] { device.error_status = IBV_WC_LOC_LEN_ERR; })};
  }
  return fault;
}

void expect_no_objects(const Desk& desk) {
  const fakeverbs::Lock lock(world());
  for (const int number : desk.numbers) {
    const fakeverbs::Counts& live = world().devices[number].live;
    CHECK(live.contexts + live.domains + live.queues + live.regions + live.queue_pairs == 0);
    CHECK(world().devices[number].region_bytes == 0);
  }
}

}  // namespace verbs_desk
