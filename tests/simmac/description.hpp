// The JSON file that describes a cluster of simulated Macs; docs/virtual-cluster.md says what may stand in
// it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackal/base/error.hpp"
#include "simmac/cluster.hpp"

namespace jackal::simmac {

/// How a command differs from one that works at once.
struct Behaviour {
  double seconds = 0;  // slept before anything is done
  bool missing = false;
  bool hangs = false;
  std::optional<int> exit;  // fails with this code instead of doing anything
  std::string output;       // what it prints then
  std::string error;
};

/// What the virtual cluster has to know of a cable, beside its ends.
struct Laying {
  std::string rate;  // "1gbit"; empty: as fast as the machine is
};

/// Machines are named n1 … nN, like the nodes that play them.
struct Description {
  Cluster cluster;
  std::vector<Laying> layings;                             // one a cable
  std::vector<std::map<std::string, Behaviour>> commands;  // one a machine, by command

  /// The machine of that name.
  std::optional<std::size_t> machine(std::string_view name) const;
};

/// `where` names the text in errors.
Result<Description> read_description(std::string_view text, const std::string& where);

/// The words of `cluster up` that say how many nodes there are and what is in every port: "--nodes", "2",
/// "--cable", "n1:en2,n2:en2" …
std::vector<std::string> up_words(const Description& description);

}  // namespace jackal::simmac
