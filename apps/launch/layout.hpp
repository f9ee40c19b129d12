// Which rank runs where: the hosts of the command line or the host file, without those left out, each
// repeated, in rank order. Known before anybody is contacted. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jackal/base/error.hpp"
#include "jackal/hostfile/hostfile.hpp"
#include "jackal/remote/command.hpp"
#include "launch/options.hpp"

namespace jackal::launch {

/// One machine to connect to, however many ranks it has.
struct Host {
  std::string ssh;  // what to connect to
  bool this_machine = false;
  std::vector<int> ranks;

  bool operator==(const Host&) const = default;
};

struct Rank {
  std::size_t host = 0;  // index into Layout::hosts
  int local_rank = 0;    // among the ranks of its host
  int local_size = 1;

  bool operator==(const Rank&) const = default;
};

struct Layout {
  hostfile::Backend backend = hostfile::Backend::ring;
  std::vector<Host> hosts;         // in order of their first rank
  std::vector<Rank> ranks;         // position = rank
  hostfile::Hostfile hostfile;     // one entry a rank, without envs; a host named by its IP has it in ips
  bool ips_are_named = false;      // ips come from --hosts, where 127.0.0.1 only says "this machine"
  remote::Environment env;         // the host file's variables, then --env's; later entries win
  std::vector<std::string> notes;  // to announce: flags without effect

  int size() const { return static_cast<int>(ranks.size()); }
  /// mpirun reaches the hosts by itself: nobody else need be connected to.
  bool through_mpirun() const { return backend == hostfile::Backend::mpi; }
};

/// `file` is what --hostfile holds; nullopt without that flag.
Result<Layout> make_layout(const Options& options, const std::optional<hostfile::Hostfile>& file);

}  // namespace jackal::launch
