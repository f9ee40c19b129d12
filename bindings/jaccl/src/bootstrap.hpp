// From a JACCL configuration to the group of libjackal that it describes.
#pragma once

#include <jackal/collectives.h>

#include <string>
#include <vector>

#include "jaccl/group.h"

namespace jaccl {

struct Meeting {
  int rank = 0;
  int size = 0;
  std::string coordinator;
  bool ring = false;
  std::vector<std::vector<std::vector<std::string>>> devices;
};

/// Where rank 0 will listen, an address of its own and a free port, told to all by `all_gather`.
std::string agree_on_coordinator(int rank, int size, const AllGatherFn& all_gather);

/// Throws jackal::Error.
jackal::Group meet(const Meeting& meeting);

/// JACKAL_VERBS_LIBRARY; "" for the system's.
std::string verbs_library_of_environment();

}  // namespace jaccl
