// Machines whose RDMA devices are those of the fake provider.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fakeverbs/world.hpp"
#include "transports/verbs/domain.hpp"

namespace verbs_desk {

/// The one world of this program: the provider keeps the first that it has opened, so tests share it, each
/// with devices of its own.
fakeverbs::World& world();

struct Desk {
  jackal::collectives::DeviceMatrix devices;
  std::vector<int> numbers;  // in the world
};

/// `cables` between each pair of `size` ranks, every one with a device of its own at each end.
Desk mesh(int size, int cables);

/// The same between neighbours around a circle.
Desk ring(int size, int cables);

/// Every rank reaches all others over its one device.
Desk star(int size);

/// What may befall a device while it is in use, and what errors then say.
struct Fault {
  std::string words;
  std::function<void()> strike;
};

/// Every one of them, each in a section of the test that calls this.
Fault any_fault(fakeverbs::Device& device);

/// Checks that nobody has left anything behind on the desk's devices.
void expect_no_objects(const Desk& desk);

}  // namespace verbs_desk
