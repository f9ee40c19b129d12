// What the person asked for, as far as problems and plans depend on it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jackal/hostfile/hostfile.hpp"

namespace jackal::tbdiscovery {

enum class Over { thunderbolt, ethernet };

struct Request {
  std::optional<hostfile::Backend> backend;  // nullopt: the best that the cabling allows
  Over over = Over::thunderbolt;
  bool auto_setup = false;        // the commands are run, not printed
  bool allow_subset = false;      // a plan may leave out hosts
  std::vector<std::string> envs;  // "NAME=VALUE", for the host file

  /// A backend was asked for that is nothing without RDMA.
  bool wants_rdma() const {
    return backend == hostfile::Backend::jaccl || backend == hostfile::Backend::jaccl_ring;
  }
};

}  // namespace jackal::tbdiscovery
