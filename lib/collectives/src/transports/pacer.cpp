#include "transports/pacer.hpp"

#include <sched.h>

#include "transports/contention.hpp"
#include "transports/relax.hpp"

namespace jackal::collectives {
namespace {

// Spinning this often takes 50 to 100 µs; after that somebody else may have the processor.
constexpr std::uint32_t kSpins = 4096;
// With more ranks than cores the one waited for may need this very core.
constexpr std::uint32_t kCrowdedSpins = 8;
constexpr std::uint32_t kSpinsPerClock = 1024;

// How often to look around, and from when on sleeping is better.
constexpr auto kLookEvery = std::chrono::microseconds(50);
constexpr auto kWeary = std::chrono::milliseconds(2);
constexpr auto kCrowdedWeary = std::chrono::microseconds(200);

Contention contention;

// The time after it.
Clock::time_point yield() {
  const auto before = Clock::now();
  ::sched_yield();
  const auto now = Clock::now();
  contention.yielded(now, now - before);
  return now;
}

}  // namespace

void Pacer::pause(std::uint32_t spins) {
  const std::uint32_t before = rounds_;
  rounds_ += spins;
  Clock::time_point now;
  if (rounds_ <= (careful_ ? kCrowdedSpins : kSpins)) {
    relax();
    if (before > 0 && before / kSpinsPerClock == rounds_ / kSpinsPerClock) return;
    now = Clock::now();
  } else {
    now = yield();
  }
  if (before == 0) since_ = looked_ = now;
  careful_ = crowded_ || contention.present(now);
  waited_ = now - since_;
  if (now - looked_ < kLookEvery) return;
  watch_.look();
  looked_ = Clock::now();
}

bool Pacer::weary(bool woken) const {
  const bool early = crowded_ || (careful_ && woken);
  return rounds_ > 0 && waited_ > (early ? kCrowdedWeary : kWeary);
}

void Pacer::look() {
  watch_.look();
  const auto now = Clock::now();
  if (rounds_ == 0) return;
  looked_ = now;
  waited_ = now - since_;
}

}  // namespace jackal::collectives
