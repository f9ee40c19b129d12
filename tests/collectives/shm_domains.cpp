#include "collectives/shm_domains.hpp"

#include <sched.h>
#include <sys/mman.h>

#include <cstring>
#include <stdexcept>
#include <thread>

#include "collectives/ranks.hpp"

namespace shm_test {
namespace {

constexpr std::size_t kRanks = 80;
constexpr std::size_t kBytes = 512;

}  // namespace

struct Meeting::Shared {
  std::atomic<std::uint64_t> said;
  std::atomic<int> buried;
  std::uint64_t rounds[kRanks];  // each written by its rank alone
  std::size_t lengths[2][kRanks];
  char bytes[2][kRanks][kBytes];
};

Meeting::Meeting(std::size_t size) : size_(size) {
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory");
  shared_ = static_cast<Shared*>(memory);
  shared_->buried = -1;
}

Meeting::~Meeting() { ::munmap(shared_, sizeof(Shared)); }

void Meeting::bury(int rank) { shared_->buried = rank; }
int Meeting::buried() const { return shared_->buried; }

jc::ShareBytes Meeting::share_of(int rank) {
  return [this, me = static_cast<std::size_t>(rank)](const std::string& mine) {
    if (mine.size() > kBytes) throw std::runtime_error("too much to share");
    const std::uint64_t round = shared_->rounds[me]++;
    const std::size_t side = round % 2;
    std::memcpy(shared_->bytes[side][me], mine.data(), mine.size());
    shared_->lengths[side][me] = mine.size();
    ++shared_->said;
    const auto deadline = jc::Clock::now() + std::chrono::seconds(30);
    while (shared_->said < (round + 1) * size_) {
      if (jc::Clock::now() > deadline) throw std::runtime_error("a rank did not share");
      ::sched_yield();
    }
    std::vector<std::string> all;
    for (std::size_t other = 0; other < size_; ++other)
      all.emplace_back(shared_->bytes[side][other], shared_->lengths[side][other]);
    return all;
  };
}

std::unique_ptr<jc::ShmDomain> Meeting::meet(int rank, bool allowed) {
  return jc::ShmDomain::meet(rank, std::vector<std::string>(size_, "here"), allowed, share_of(rank));
}

void Watch::look() {
  if (meeting_.buried() >= 0)
    throw jc::Error(jc::Code::peer_lost, "rank " + std::to_string(meeting_.buried()) + " is gone");
  const auto now = jc::Clock::now();
  if (deadline_ == jc::Clock::time_point{}) deadline_ = now + std::chrono::seconds(30);
  if (now > deadline_) throw jc::Error(jc::Code::timeout, "too late");
}

void Watch::lost(int rank, const std::string& why) { throw jc::Error(jc::Code::peer_lost, why, rank); }

void Rank::run(const jc::Call& call, const void* in, void* out, std::span<const std::size_t> counts) {
  const jc::Signature signature = jc::Signature::of(++calls_, call);
  const jc::ShmDomain::Mismatch mismatch = [&](int rank, const jc::Signature& theirs) {
    throw jc::Error(jc::Code::mismatch, signature.text() + " here, " + theirs.text() + " there", rank);
  };
  Watch watch(meeting_);
  domain_->run({call, signature, in, out, counts, mismatch, watch});
}

std::vector<std::string> in_threads(std::size_t size, const std::function<std::string(Rank&)>& body) {
  Meeting meeting(size);
  std::vector<std::string> reports(size);
  std::vector<std::thread> threads;
  for (std::size_t rank = 0; rank < size; ++rank)
    threads.emplace_back([&, rank] {
      try {
        Rank self(meeting, static_cast<int>(rank));
        reports[rank] = body(self);
      } catch (const std::exception& error) {
        reports[rank] = std::string("threw ") + error.what();
      }
    });
  for (std::thread& thread : threads) thread.join();
  return reports;
}

std::vector<std::string> in_processes(std::size_t size, const std::function<std::string(Rank&)>& body) {
  Meeting meeting(size);
  return ranks::fork_and_run(static_cast<int>(size), [&](int rank) {
    Rank self(meeting, rank);
    return body(self);
  });
}

}  // namespace shm_test
