#include "transports/shm/layout.hpp"

#include <algorithm>
#include <bit>

namespace jackal::collectives::shm {
namespace {

constexpr std::size_t kKiB = 1024;

std::size_t lines(std::size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

// What all members together may take, up to eight of them.
constexpr std::size_t kStageBudget = 16384 * kKiB;
constexpr std::size_t kRingBudget = 4096 * kKiB;

}  // namespace

Layout::Layout(std::size_t members) : members_(members) {
  slot_ = members <= 2 ? 64 * kKiB : members <= 8 ? 16 * kKiB : 4 * kKiB;
  part_ = std::bit_floor(kStageBudget / Layout::kWindows / members / members);
  part_ = std::clamp(part_, 4 * kKiB, 128 * kKiB);
  ring_ = std::bit_floor(kRingBudget / kLanes / members / members);
  ring_ = std::clamp(ring_, 4 * kKiB, 256 * kKiB);
  // An odd number of lines, so that slots at the same place in their pages are rare.
  slot_stride_ =
      lines(Slot::kMostDataAt + slot_) + (lines(Slot::kMostDataAt + slot_) / kLine % 2 == 0 ? kLine : 0);
  boards_ = lines(sizeof(Sleepers));
  slots_ = boards_ + members * sizeof(Board);
  stages_ = (slots_ + members * 2 * slot_stride_ + 4 * kKiB - 1) / (4 * kKiB) * (4 * kKiB);
  rings_ = stages_ + members * stage_bytes();
  bytes_ = rings_ + members * members * kLanes * (sizeof(Ring) + ring_);
}

}  // namespace jackal::collectives::shm
