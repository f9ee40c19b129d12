// What the links of a group can do, measured when it starts: every pair of ranks plays ping-pong, then sends
// as much as takes a millisecond or two each way. Pairs play in rounds, so that no rank plays with two at
// once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fabric/fabric.hpp"
#include "transports/channel.hpp"
#include "transports/shm/domain.hpp"

namespace jackal::collectives {

/// The two ranks of a host whose link stands for all between ranks of that host; -1: every pair plays.
struct Sample {
  int low = -1;
  int high = -1;
};

/// For each host of `fabric`, of which bandwidths and latencies are not known yet: with fewer cores than
/// ranks, pairs that play side by side would measure each other's turns on a core, in milliseconds. There two
/// play for all, if the links are alike.
std::vector<Sample> samples_of(const Fabric& fabric);

/// What is known without measuring.
struct Surroundings {
  int rank = 0;
  int size = 1;
  std::vector<std::vector<Channel*>> lanes;    // to every rank, one a cable; as Lanes of the executor
  std::vector<std::string> transports;         // to every rank: "tcp"; of no use where there is no lane
  std::vector<int> host_of;                    // as Fabric's: numbers from 0 on, none left out
  int cores = 1;                               // processors this process may use
  std::function<void(int peer)> on_turn = {};  // called before this rank plays with `peer`
  std::vector<Sample> samples = {};            // of each host, the same on every rank; empty: none
};

/// Collective over all ranks: all return the same fabric. The channels must be idle, and are so afterwards.
/// Throws Error by way of `watch`; code internal when ranks do not agree on their links.
Fabric measure(const Surroundings& surroundings, const ShareBytes& share, Watch& watch);

/// Whom `rank` plays with in a round of rounds_of(size); -1: nobody.
int partner_in(int round, int rank, int size);
int rounds_of(int size);

/// To two significant digits, so that noise makes no difference.
std::int64_t rounded(std::int64_t value);

}  // namespace jackal::collectives
