// What a ShmDomain holds; made by meet().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transports/shm/domain.hpp"
#include "transports/shm/engine.hpp"
#include "transports/shm/probe.hpp"
#include "transports/shm/ring.hpp"

namespace jackal::collectives {

class ShmDomain::State {
public:
  std::vector<int> members;
  std::string trouble;
  Crowding crowding;
  shm::Findings findings;
  std::shared_ptr<shm::OwnBuffers> buffers;
  std::optional<shm::Engine> engine;                        // with two members or more
  std::vector<std::unique_ptr<shm::RingChannel>> channels;  // by place of the member, then lane
};

}  // namespace jackal::collectives
