// Carries out the calls of one group over its segment. Small calls: data and flag in one slot, everybody
// reads everybody's. Large ones: see large.hpp. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/reduce.hpp"
#include "transports/shm/buffers.hpp"
#include "transports/shm/distance.hpp"
#include "transports/shm/domain.hpp"
#include "transports/shm/limits.hpp"
#include "transports/shm/plan.hpp"
#include "transports/shm/room.hpp"

namespace jackal::collectives::shm {

/// Of one ReduceManyFunction. With more members, a chain of calls: `out` may then not be one of the sources.
inline constexpr std::size_t kMostSources = 64;

/// Windows of one size that calls use in turn: see layout.hpp.
struct Lap {
  std::size_t half = 0;    // of the stage
  std::size_t window = 0;  // bytes of each
  std::size_t next = 0;
};

/// A call of a group of one.
void run_alone(const ShmDomain::Request& request);

/// For two members or more.
class Engine {
public:
  Engine(Room room, std::vector<bool> same_process, std::shared_ptr<OwnBuffers> own, const Limits& limits,
         Distance distance);

  void run(const ShmDomain::Request& request);

  /// The last call was a small one, so that repeat() may carry out the same on other data.
  bool repeats() const { return repeats_; }
  void repeat(const ShmDomain::Request& request);

  const Room& room() const { return room_; }
  const Limits& limits() const { return limits_; }
  void set_limits(const Limits& limits) { limits_ = limits; }
  std::size_t memory_bytes() const;

private:
  friend class Large;

  /// The call's data do not fit into the slots.
  bool large() const { return most_bytes(shape_) > limits_.slot; }
  void number_call();
  void small(const ShmDomain::Request& request);
  void combine_small(const ShmDomain::Request& request);
  void take_small(const ShmDomain::Request& request);
  const std::byte* own_input(const ShmDomain::Request& request) const;

  /// Announces this call with what has been put into the slot, then waits until everybody has.
  void post(const Signature& signature);
  void await_posts(const ShmDomain::Request& request);
  void await_post(std::size_t member, const ShmDomain::Request& request);
  /// Every member's input in rank order, combined: `sources` holds one pointer for each.
  /// `total_bytes` says of how much this is a block; 0: it is to stay in the cache.
  void combine(const Call& call, const void* const* sources, void* out, std::size_t count,
               std::size_t total_bytes);
  const Kernel& kernel(const Call& call, std::size_t total_bytes);

  Room room_;
  std::vector<bool> same_process_;  // as this member's: addresses there are valid here
  std::vector<PeerBuffers> buffers_;
  std::shared_ptr<OwnBuffers> own_;
  Limits limits_;

  std::uint64_t call_ = 0;    // number of this call
  std::uint64_t tag_ = 0;     // what everybody's flag becomes in it
  std::uint64_t digest_ = 0;  // of its signature
  bool repeats_ = false;
  Shape shape_;  // of the last call
  Distance distance_;
  Lap lap_;
  std::uint64_t steps_ = 0;  // all that calls before it took
  std::vector<const void*> sources_;
  std::vector<Post> posts_;
  std::vector<std::byte> scratch_;                    // sized by the first call that needs it
  Kernel kernel_ = kernel_of(Op::sum, Dtype::bool_);  // the last call's: of the next three
  Op kernel_op_ = Op::sum;
  Dtype kernel_dtype_ = Dtype::bool_;
  std::size_t kernel_bytes_ = 0;
};

}  // namespace jackal::collectives::shm
