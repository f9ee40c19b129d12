#include "transports/shm/probe.hpp"

#include <algorithm>

namespace jackal::collectives::shm {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kRounds = 200;
constexpr int kRepeats = 5;
constexpr auto kPatience = std::chrono::milliseconds(3);

// Two cores of one cache complex take 100 to 150 ns; of two, 300 and more.
constexpr nanoseconds kFar{220};

constexpr std::size_t kKiB = 1024;

}  // namespace

nanoseconds measure_round_trip(const Room& room) {
  if (room.me() > 1) return nanoseconds(0);
  std::atomic<std::uint64_t>& mine = room.board(room.me()).probed;
  const std::atomic<std::uint64_t>& theirs = room.board(1 - room.me()).probed;
  const bool first = room.me() == 0;
  const auto deadline = Clock::now() + kPatience;
  auto since = Clock::now();
  nanoseconds best = nanoseconds::max();
  for (std::uint64_t round = 1; round <= kRounds * kRepeats; ++round) {
    if (first) mine.store(round, std::memory_order_release);
    for (std::uint64_t looks = 1; theirs.load(std::memory_order_acquire) < round; ++looks)
      if (looks % 4096 == 0 && Clock::now() > deadline) return nanoseconds(0);
    if (!first) mine.store(round, std::memory_order_release);
    if (round % kRounds != 0) continue;
    const auto now = Clock::now();
    best = std::min<nanoseconds>(best, (now - since) / static_cast<long>(kRounds));
    since = now;
  }
  return best;
}

bool Findings::far() const { return round_trip > kFar; }

// Measured on an EPYC whose two cores moved between near and far places, with inputs that are written before
// every call and ones that are not. Between far cores a line that the other one has written comes over
// slowly, through a slot as much as from `out`; around the caches it does not, and that pays from 2 KiB on,
// or from 4 KiB with more members or members that share cores. Reading a peer's whole input beats a second
// phase up to 512 KiB between two.
Limits limits_for(const Findings& findings, const Layout& layout) {
  const bool two = layout.members() == 2;
  const bool near = !findings.far() && !findings.crowded;
  Limits made;
  made.slot = std::min(layout.slot_bytes(), (near ? 8 : two ? 2 : 4) * kKiB);
  made.whole = two ? 512 * kKiB : 0;
  return made;
}

std::string text_of(const Findings& findings) {
  std::string text = findings.crowded ? "more ranks than cores" : "a core for every rank";
  if (findings.round_trip.count() > 0)
    text += ", a cache line there and back takes " + std::to_string(findings.round_trip.count()) + " ns";
  return text;
}

}  // namespace jackal::collectives::shm
