// A collective call as it is carried out: what its caller gave, checked.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "group/call.hpp"

namespace jackal::collectives {

/// Borrows everything but the call itself.
struct Request {
  Call call;
  const void* in = nullptr;
  void* out = nullptr;
  std::span<const std::size_t> counts = {};  // all_gather_v: elements of each rank
  std::string_view algorithm = {};           // "" or "auto": the best
  std::chrono::milliseconds timeout{};

  bool chosen() const { return !algorithm.empty() && algorithm != "auto"; }
};

/// Chunks of `count` elements that the input and the output of `operation` have on `ranks` ranks.
struct Chunks {
  std::size_t in = 1;
  std::size_t out = 1;
};
Chunks chunks_of(Operation operation, int ranks);

/// Throws Error invalid_argument unless rank `rank` of `size` can carry the request out.
void check(const Request& request, int rank, int size);

/// The digest for Call::extra; 0 when there is nothing else that the ranks must agree on.
std::uint32_t extra_of(std::span<const std::size_t> counts, std::string_view algorithm);

/// Carries out the request on a group of one.
void run_alone(const Request& request);

/// all_gather(_v) allows `in` anywhere within `out`, everything below only where it belongs in there: moves
/// it there when it must.
void settle_input(const Call& call, std::span<const std::size_t> counts, const void*& in, void* out, int rank,
                  int size);

/// Bytes that this rank hands to others and takes from them at least, whatever the algorithm.
struct Volume {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};
Volume volume_of(const Request& request, int rank, int size);

}  // namespace jackal::collectives
