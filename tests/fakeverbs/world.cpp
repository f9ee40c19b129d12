#include "world.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace fakeverbs {

World& open_world(const std::string& path, bool create) {
  const auto fail = [&](const char* what) {
    throw std::runtime_error("fake verbs: cannot " + std::string(what) + " " + path + ": " +
                             std::strerror(errno));
  };
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0), 0600);
  if (fd < 0) fail("open");
  if (create && ::ftruncate(fd, sizeof(World)) != 0) fail("size");
  void* memory = ::mmap(nullptr, sizeof(World), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (memory == MAP_FAILED) fail("map");
  World& world = *static_cast<World*>(memory);
  if (!create) return world;
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  ::pthread_mutex_init(&world.lock, &attributes);
  ::pthread_mutexattr_destroy(&attributes);
  world.random = 0x9e3779b97f4a7c15;
  return world;
}

Lock::Lock(World& world) : world_(world) {
  // Whoever dies inside leaves counters that are at worst one off.
  if (::pthread_mutex_lock(&world_.lock) == EOWNERDEAD) ::pthread_mutex_consistent(&world_.lock);
}

Lock::~Lock() { ::pthread_mutex_unlock(&world_.lock); }

int add_device(World& world, const std::string& name, int node) {
  const Lock lock(world);
  if (world.devices_used == kDevices) throw std::runtime_error("fake verbs: the world is full of devices");
  const int number = world.devices_used++;
  Device& device = world.devices[number];
  std::snprintf(device.name, sizeof device.name, "%s", name.c_str());
  device.node = node;
  device.active = true;
  device.peer = -1;
  device.gid_index = 1;
  device.transport = 100;
  device.max_queue_pairs = 10;
  device.max_regions = 100;
  device.max_depth = 4095;
  return number;
}

void cable(World& world, int a, int b) {
  const Lock lock(world);
  world.devices[a].peer = b;
  world.devices[b].peer = a;
}

}  // namespace fakeverbs
