// Ranks that share memory, for tests: threads of this process or children of it, with what the control plane
// would give them.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "transports/shm/domain.hpp"

namespace shm_test {

namespace jc = jackal::collectives;

/// Made before ranks are forked or started as threads; all of them use it.
class Meeting {
public:
  explicit Meeting(std::size_t size);
  ~Meeting();
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;

  std::size_t size() const { return size_; }
  /// What ShmDomain::meet wants; for one rank.
  jc::ShareBytes share_of(int rank);
  std::unique_ptr<jc::ShmDomain> meet(int rank, bool allowed = true);

  /// Every rank's Watch throws from now on: what the control plane does when rank `rank` has died.
  void bury(int rank);
  int buried() const;  // -1: none

private:
  struct Shared;
  Shared* shared_;
  std::size_t size_;
};

/// Throws when a rank is buried, and after 30 s.
class Watch : public jc::Watch {
public:
  explicit Watch(const Meeting& meeting) : meeting_(meeting) {}
  void look() override;
  [[noreturn]] void lost(int rank, const std::string& why) override;
  std::span<const int> wake_descriptors() override { return {}; }

private:
  const Meeting& meeting_;
  jc::Clock::time_point deadline_{};  // from the first look on
};

/// One rank: its domain, and calls that it numbers as the group would.
class Rank {
public:
  Rank(Meeting& meeting, int rank, bool allowed = true)
      : meeting_(meeting), rank_(rank), domain_(meeting.meet(rank, allowed)) {}

  int rank() const { return rank_; }
  std::size_t size() const { return meeting_.size(); }
  jc::ShmDomain& domain() { return *domain_; }
  void run(const jc::Call& call, const void* in, void* out, std::span<const std::size_t> counts = {});

private:
  Meeting& meeting_;
  int rank_;
  std::unique_ptr<jc::ShmDomain> domain_;
  std::uint64_t calls_ = 0;
};

/// Runs `body` as rank 0 … size - 1, in threads; what each returned, or "threw …".
std::vector<std::string> in_threads(std::size_t size, const std::function<std::string(Rank&)>& body);
/// The same in children of this process.
std::vector<std::string> in_processes(std::size_t size, const std::function<std::string(Rank&)>& body);

}  // namespace shm_test
