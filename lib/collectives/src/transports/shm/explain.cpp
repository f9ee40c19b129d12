#include <string>

#include "transports/shm/state.hpp"

namespace jackal::collectives {

std::string ShmDomain::explain(const Call& call) const {
  std::string text = call.text() + ": ";
  if (!state_->engine) return text + "a copy, as the group has one rank\n";
  const shm::Limits& limits = state_->engine->limits();
  text += "over memory that all ranks share (" + shm::text_of(state_->findings) + ")\n";
  text += "  with the call itself: up to " + std::to_string(limits.slot) + " bytes\n";
  text += "  out of the other ranks' buffers: from " + std::to_string(limits.buffer_from) + " bytes\n";
  return text + "  else through the shared segment\n";
}

}  // namespace jackal::collectives
