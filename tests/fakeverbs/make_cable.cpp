// make-fake-cable FILE A B [LOST]: a world of two machines, whose devices A (of node 0) and B (of node 1) a
// cable joins; LOST of a million messages get lost on it.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "fakeverbs/world.hpp"

int main(int argc, char** argv) {
  if (argc < 4 || argc > 5) {
    std::fputs("usage: make-fake-cable FILE A B [LOST]\n", stderr);
    return 64;
  }
  try {
    fakeverbs::World& world = fakeverbs::open_world(argv[1], true);
    const int a = fakeverbs::add_device(world, argv[2], 0);
    const int b = fakeverbs::add_device(world, argv[3], 1);
    fakeverbs::cable(world, a, b);
    for (const int device : {a, b}) world.devices[device].loss_ppm = argc == 5 ? std::atoi(argv[4]) : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make-fake-cable: %s\n", error.what());
    return 1;
  }
  return 0;
}
