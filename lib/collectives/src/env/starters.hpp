// Which rank of how many this process is, as its starter says: one function for each family of variables.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "env/environment.hpp"

namespace jackal::collectives {

/// Reads variables; an empty one counts as not set.
class Variables {
public:
  explicit Variables(const Lookup& lookup) : lookup_(lookup) {}

  std::optional<std::string> text(const std::string& name) const;
  /// The first of `names` that is set, with its value.
  struct Named {
    std::string name;
    std::string value;
  };
  std::optional<Named> first(const std::vector<std::string>& names) const;
  /// Throws invalid_argument unless the variable is an integer from `low` to `high`.
  std::optional<int> number(const std::string& name, int low, int high) const;
  std::optional<HostPort> host_port(const std::string& name) const;

private:
  const Lookup& lookup_;
};

struct Start {
  std::string source;  // "JACKAL_*", "Open MPI", …
  int rank = 0;
  int size = 1;
  HostPort coordinator;
  DeviceMatrix devices = {};  // of a job that its starter has set up for RDMA
  bool ring = false;          // and as a ring
};

struct Found {
  std::optional<Start> start;           // the first complete family; a group of one when none is set at all
  std::vector<std::string> incomplete;  // of the families before it: what is missing
};

/// Throws Error invalid_argument when a family is malformed, or when some are incomplete and none complete.
Found find_start(const Variables& variables);

/// The first host of a Slurm node list: "n[03-07,9],m1" gives "n03"; nullopt when it is malformed.
std::optional<std::string> first_slurm_node(std::string_view list);

}  // namespace jackal::collectives
