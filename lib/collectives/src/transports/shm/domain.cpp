#include "transports/shm/domain.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "transports/shm/state.hpp"

namespace jackal::collectives {

ShmDomain::ShmDomain(std::unique_ptr<State> state) : state_(std::move(state)) {}
ShmDomain::~ShmDomain() = default;

const std::vector<int>& ShmDomain::members() const { return state_->members; }
const std::string& ShmDomain::trouble() const { return state_->trouble; }
const Crowding& ShmDomain::crowding() const { return state_->crowding; }

std::size_t ShmDomain::memory_bytes() const { return state_->engine ? state_->engine->memory_bytes() : 0; }

void ShmDomain::run(const Request& request) {
  if (state_->engine)
    state_->engine->run(request);
  else
    shm::run_alone(request);
}

bool ShmDomain::repeats() const { return state_->engine && state_->engine->repeats(); }
void ShmDomain::repeat(const Request& request) { state_->engine->repeat(request); }

Channel& ShmDomain::channel(int member, int lane) {
  const auto& members = state_->members;
  const auto place =
      static_cast<std::size_t>(std::find(members.begin(), members.end(), member) - members.begin());
  return *state_->channels.at(place * shm::Layout::kLanes + static_cast<std::size_t>(lane));
}

std::shared_ptr<void> ShmDomain::allocate(std::size_t bytes) {
  try {
    return state_->buffers->allocate(bytes);
  } catch (const std::system_error& error) {
    throw Error(Code::io, "a buffer of " + std::to_string(bytes) +
                              " bytes cannot be had: " + system_text(error.code().value()));
  }
}

void ShmDomain::set_limits(const shm::Limits& limits) {
  if (state_->engine) state_->engine->set_limits(limits);
}

const shm::Limits& ShmDomain::limits() const {
  static const shm::Limits alone;
  return state_->engine ? state_->engine->limits() : alone;
}

}  // namespace jackal::collectives
