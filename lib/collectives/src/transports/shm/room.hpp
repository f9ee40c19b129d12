// One member's view of the segment: where things lie, how it tells the others, how it waits for them.
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "transports/pacer.hpp"
#include "transports/relax.hpp"
#include "transports/shm/layout.hpp"
#include "transports/shm/memory.hpp"

namespace jackal::collectives::shm {

class Room {
public:
  /// `ranks` are the members' ranks, ascending; `me` is this one's place among them.
  Room(std::shared_ptr<Mapping> segment, std::vector<int> ranks, std::size_t me, const Crowding& crowding);

  std::size_t size() const { return layout_.members(); }
  std::size_t me() const { return me_; }
  int rank(std::size_t member) const { return ranks_[member]; }
  const std::vector<int>& ranks() const { return ranks_; }
  const Layout& layout() const { return layout_; }
  const Crowding& crowding() const { return crowding_; }
  const std::shared_ptr<Mapping>& segment() const { return segment_; }

  Board& board(std::size_t member) const { return at<Board>(layout_.board(member)); }
  Slot& slot(std::size_t member, std::uint64_t call) const { return at<Slot>(layout_.slot(member, call)); }
  /// Where a member's `bytes` of a call lie in its slot.
  std::byte* data(std::size_t member, std::uint64_t call, std::size_t bytes) const {
    return base_ + layout_.slot(member, call) + Slot::data_at(bytes);
  }
  std::byte* stage(std::size_t member) const { return base_ + layout_.stage(member); }
  Ring& ring(std::size_t from, std::size_t to, std::size_t lane) const {
    return at<Ring>(layout_.ring(from, to, lane));
  }

  /// Makes `value` visible to those who wait for `counter`, with all that was written before.
  template <class Value>
  void publish(std::atomic<Value>& counter, std::type_identity_t<Value> value) const {
    counter.store(value, std::memory_order_release);
    if (sleepers_.count.load(std::memory_order_relaxed) != 0) wake_all();
  }

  /// Returns once `arrived()` is true; asks it over and over, and `watch` now and then.
  template <class Arrived>
  void wait(Watch& watch, Arrived arrived) const {
    // Looking without a break would hold back the line that is awaited: both caches would fight for it.
    for (int i = 0; i < spins_; ++i, relax())
      if (arrived()) return;
    Pacer pacer(watch, crowding_);
    while (!arrived()) {
      if (!pacer.weary()) {
        pacer.pause();
        continue;
      }
      const Asleep asleep(sleepers_);
      if (!arrived()) asleep.doze();
      pacer.look();
    }
  }

  void wait_for(const std::atomic<std::uint64_t>& counter, std::uint64_t value, Watch& watch) const {
    wait(watch, [&] { return counter.load(std::memory_order_acquire) >= value; });
  }
  /// The same counter of every other member.
  void wait_for_all(std::atomic<std::uint64_t> Board::*counter, std::uint64_t value, Watch& watch) const {
    for (std::size_t member = 0; member < size(); ++member)
      if (member != me_) wait_for(board(member).*counter, value, watch);
  }

private:
  // Counts this thread among the sleepers. Who publishes does not wait until its store is visible before it
  // looks for sleepers, as a fence costs more than a small call; the rare sleeper that is missed for that
  // wakes by itself soon.
  class Asleep {
  public:
    explicit Asleep(Sleepers& sleepers);
    ~Asleep();
    Asleep(const Asleep&) = delete;
    Asleep& operator=(const Asleep&) = delete;
    void doze() const;

  private:
    Sleepers& sleepers_;
    std::uint32_t seen_;
  };

  template <class T>
  T& at(std::size_t offset) const {
    return *reinterpret_cast<T*>(base_ + offset);
  }
  void wake_all() const;

  std::shared_ptr<Mapping> segment_;
  std::vector<int> ranks_;
  std::size_t me_;
  Crowding crowding_;
  Layout layout_;
  std::byte* base_;  // of segment_
  Sleepers& sleepers_;
  int spins_;
};

}  // namespace jackal::collectives::shm
