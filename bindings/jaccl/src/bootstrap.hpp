// From a JACCL configuration to the group of libjackal that it describes.
#pragma once

#include <jackal/collectives.h>

#include <string>
#include <vector>

#include "jaccl/group.h"

namespace jaccl {

struct Meeting {
  int rank = 0;
  std::string coordinator;
  bool ring = false;
  bool launched = false;  // JACKAL_HOSTFILE is of these ranks, if JACKAL_RANK and JACKAL_SIZE agree
  std::vector<std::vector<std::vector<std::string>>> devices;
};

/// Where rank 0 will listen, an address of its own and a free port, told to all by `all_gather`. Throws on
/// every rank where rank 0 has none.
std::string agree_on_coordinator(int rank, int size, const AllGatherFn& all_gather);

/// Throws jackal::Error.
jackal::Group meet(const Meeting& meeting);

/// JACKAL_VERBS_LIBRARY; "" for the system's.
std::string verbs_library_of_environment();

/// To standard error, if JACKAL_LOG asks for errors.
void log_error(const std::string& text);

}  // namespace jaccl
