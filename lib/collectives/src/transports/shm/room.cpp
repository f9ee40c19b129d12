#include "transports/shm/room.hpp"

#include <utility>

#include "transports/shm/doze.hpp"

namespace jackal::collectives::shm {
namespace {

// Looks at what is awaited before the waiting is paced: a microsecond, as most answers take less. With more
// ranks than cores every look delays the one that is waited for.
constexpr int kSpins = 64;
constexpr int kCrowdedSpins = 8;

constexpr auto kLongestDoze = std::chrono::microseconds(1000);

}  // namespace

Room::Room(std::shared_ptr<Mapping> segment, std::vector<int> ranks, std::size_t me, const Crowding& crowding)
    : segment_(std::move(segment)),
      ranks_(std::move(ranks)),
      me_(me),
      crowding_(crowding),
      layout_(ranks_.size()),
      base_(segment_->data()),
      sleepers_(at<Sleepers>(0)),
      spins_(crowding.crowded() ? kCrowdedSpins : kSpins) {}

void Room::wake_all() const {
  sleepers_.word.fetch_add(1);
  wake(sleepers_.word);
}

Room::Asleep::Asleep(Sleepers& sleepers) : sleepers_(sleepers), seen_(sleepers.word.load()) {
  sleepers_.count.fetch_add(1);
}

Room::Asleep::~Asleep() { sleepers_.count.fetch_sub(1); }

void Room::Asleep::doze() const { shm::doze(sleepers_.word, seen_, kLongestDoze); }

}  // namespace jackal::collectives::shm
