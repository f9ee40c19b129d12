// Operations at random, mixed as programs mix them: blocking and in flight, several at once, messages between
// two ranks, groups within the group. All ranks make the same choices from one seed.
#pragma once

#include "collectives/matrix/diary.hpp"

namespace matrix {

struct Mixture {
  std::uint64_t seed = 0;
  int steps = 0;
  std::size_t most_bytes = 0;  // of one chunk, about
  bool neighbours = false;     // only neighbours form groups: others may have no cable between them
};

void mix(jackal::Group& group, const Mixture& mixture, Diary& diary);

}  // namespace matrix
