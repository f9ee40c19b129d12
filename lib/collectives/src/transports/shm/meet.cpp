#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include "transports/shm/cores.hpp"
#include "transports/shm/domain.hpp"
#include "transports/shm/state.hpp"

// How ranks find out who shares memory, in five exchanges that all ranks take part in:
//  1. where a small piece of memory of this rank can be found;
//  2. whose of these this rank could open. From all answers everybody makes the same sets of ranks;
//  3. the lowest rank of a set: where the segment is;
//  4. whether it could be mapped;
//  5. the lowest rank: what it has measured.
// A set in which anybody fails is dissolved.
namespace jackal::collectives {
namespace {

using shm::Mapping;
using shm::Memory;
using shm::Place;

// What travels, between equal programs on one machine. From anywhere else it is only compared.
struct Hello {
  Place place;
  shm::Processors processors{};
};

template <class T>
std::string bytes_of(const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T value_of(const std::string& bytes) {
  T value{};
  if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

bool opened(const std::vector<std::string>& answers, std::size_t who, std::size_t whose) {
  return answers[who].size() == answers.size() && answers[who][whose] == '1';
}

// Ranks join, in order, the first set whose members all can open them and be opened by them.
std::vector<std::vector<std::size_t>> sets_of(const std::vector<std::string>& answers) {
  std::vector<std::vector<std::size_t>> sets;
  for (std::size_t rank = 0; rank < answers.size(); ++rank) {
    const auto fits = [&](const std::vector<std::size_t>& set) {
      return std::all_of(set.begin(), set.end(), [&](std::size_t other) {
        return opened(answers, rank, other) && opened(answers, other, rank);
      });
    };
    const auto found = std::find_if(sets.begin(), sets.end(), fits);
    if (found != sets.end())
      found->push_back(rank);
    else
      sets.push_back({rank});
  }
  return sets;
}

Crowding crowding_of(const std::vector<Hello>& hellos, const std::vector<std::string>& hosts,
                     std::size_t me) {
  Crowding made;
  made.ranks_here = static_cast<int>(std::count(hosts.begin(), hosts.end(), hosts[me]));
  shm::Processors all{};
  for (std::size_t rank = 0; rank < hosts.size(); ++rank)
    for (std::size_t i = 0; i < all.size() && hosts[rank] == hosts[me]; ++i)
      all[i] |= hellos[rank].processors[i];
  made.cores = 0;
  for (const std::uint64_t word : all) made.cores += std::popcount(word);
  made.cores = std::max(made.cores, 1);
  return made;
}

class Meeting {
public:
  Meeting(int rank, const std::vector<std::string>& hosts, bool allowed, const ShareBytes& share)
      : me_(static_cast<std::size_t>(rank)), hosts_(hosts), allowed_(allowed), share_(share) {}

  std::unique_ptr<ShmDomain::State> run() {
    auto state = std::make_unique<ShmDomain::State>();
    say_hello();
    find_set();
    const bool together = map_segment();
    state->crowding = crowding_of(hellos_, hosts_, me_);
    if (together) {
      for (const std::size_t rank : set_) state->members.push_back(static_cast<int>(rank));
    } else {
      state->members = {static_cast<int>(me_)};
    }
    furnish(*state, together);
    state->trouble = trouble_;
    return state;
  }

private:
  void note(const std::string& why) {
    if (trouble_.empty()) trouble_ = why;
  }

  std::optional<Memory> make(std::size_t bytes) {
    try {
      return Memory::create(bytes);
    } catch (const std::system_error& error) {
      note("shared memory cannot be had: " + system_text(error.code().value()));
      return std::nullopt;
    }
  }

  void say_hello() {
    Hello mine;
    mine.processors = shm::own_processors();
    if (allowed_) hello_memory_ = make(1);
    if (hello_memory_) mine.place = hello_memory_->place();
    for (const std::string& bytes : share_(bytes_of(mine))) hellos_.push_back(value_of<Hello>(bytes));
  }

  void find_set() {
    std::string mine(hosts_.size(), '0');
    mine[me_] = '1';
    for (std::size_t rank = 0; rank < hosts_.size(); ++rank) {
      if (rank == me_ || !hello_memory_ || !hellos_[rank].place || hosts_[rank] != hosts_[me_]) continue;
      std::string why;
      if (shm::open(hellos_[rank].place, why))
        mine[rank] = '1';
      else
        note("memory of rank " + std::to_string(rank) + " cannot be opened: " + why);
    }
    for (const auto& set : sets_of(share_(mine)))
      if (std::find(set.begin(), set.end(), me_) != set.end()) set_ = set;
  }

  // True when the whole set has it.
  bool map_segment() {
    Place place;
    if (set_.size() > 1 && set_.front() == me_) segment_memory_ = make(shm::Layout(set_.size()).bytes());
    if (segment_memory_) place = segment_memory_->place();
    place = value_of<Place>(share_(bytes_of(place))[set_.front()]);
    std::string why = "there is none";
    if (place) segment_ = shm::open(place, why);
    if (segment_ && segment_->size() < shm::Layout(set_.size()).bytes()) segment_ = nullptr;
    if (!segment_ && set_.size() > 1) note("the shared segment cannot be opened: " + why);
    const std::vector<std::string> mapped = share_(segment_ ? "1" : "0");
    const bool together = set_.size() > 1 && std::all_of(set_.begin(), set_.end(), [&](std::size_t rank) {
                            return mapped[rank] == "1";
                          });
    if (set_.size() > 1 && !together) note("a rank could not map the shared segment");
    return together;
  }

  void furnish(ShmDomain::State& state, bool together) {
    if (!together) {
      share_({});
      state.buffers = std::make_shared<shm::OwnBuffers>(nullptr, nullptr);
      return;
    }
    const auto place = static_cast<std::size_t>(std::find(set_.begin(), set_.end(), me_) - set_.begin());
    shm::Room room(segment_, state.members, place, state.crowding);
    state.findings.crowded = state.crowding.crowded();
    if (!state.findings.crowded) state.findings.round_trip = shm::measure_round_trip(room);
    state.findings = value_of<shm::Findings>(share_(bytes_of(state.findings))[set_.front()]);
    state.buffers = std::make_shared<shm::OwnBuffers>(segment_, &room.board(place));
    std::vector<bool> same_process;
    for (const std::size_t rank : set_) same_process.push_back(shm::in_this_process(hellos_[rank].place));
    state.engine.emplace(room, same_process, state.buffers, shm::limits_for(state.findings, room.layout()),
                         shm::Distance(state.findings.far()));
    for (std::size_t peer = 0; peer < set_.size(); ++peer)
      for (std::size_t lane = 0; lane < shm::Layout::kLanes; ++lane)
        state.channels.push_back(std::make_unique<shm::RingChannel>(state.engine->room(), peer, lane));
  }

  std::size_t me_;
  const std::vector<std::string>& hosts_;
  bool allowed_;
  const ShareBytes& share_;
  std::string trouble_;
  std::optional<Memory> hello_memory_;
  std::optional<Memory> segment_memory_;
  std::shared_ptr<Mapping> segment_;
  std::vector<Hello> hellos_;
  std::vector<std::size_t> set_;
};

}  // namespace

std::unique_ptr<ShmDomain> ShmDomain::meet(int rank, const std::vector<std::string>& hosts, bool allowed,
                                           const ShareBytes& share) {
  return std::make_unique<ShmDomain>(Meeting(rank, hosts, allowed, share).run());
}

}  // namespace jackal::collectives
