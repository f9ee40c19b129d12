// Where the ranks of a group are said to be: which of them share memory, and which have cables. All on the
// loopback interface.
#pragma once

#include <string>
#include <vector>

#include "collectives/ranks.hpp"

namespace matrix {

enum class Layout {
  shm,          // one host
  tcp,          // one host, but TCP is asked for
  two_hosts,    // the first half of the ranks on one host, the others on another
  alternating,  // even ranks on one host, odd ones on another
  chain,        // a host each, a cable from each to the next
  ring,         // the same, closed
  two_cables,   // a host each, two cables between any two
};

const char* name_of(Layout layout);
bool cabled(Layout layout);

/// Those that can be had here: cables need more loopback addresses than macOS gives.
const std::vector<Layout>& layouts();

/// The host file, as in jackal-hostfile(5).
std::string host_file(Layout layout, int ranks);

/// A job of that kind whose host file is in `directory`.
ranks::Job job(Layout layout, int ranks, const ranks::Directory& directory,
               const ranks::Variables& more = {});

}  // namespace matrix
