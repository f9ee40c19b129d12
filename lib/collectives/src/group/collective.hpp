// The operations, over a mesh of connections: everybody talks to everybody directly.
//
// Every call starts with a header to each peer, which says what this rank is calling; no payload is used
// before the peer's header has been found to agree.
//
// all_sum cuts the vector into one chunk a rank: chunk r of every rank goes to rank r, which adds them in
// rank order 0, 1, 2 … and returns the sum to all. So each element is summed by one rank, in one order: the
// results are bit-identical on all ranks and from run to run.
#pragma once

#include <cstdint>
#include <optional>

#include "control/mesh.hpp"

namespace jackal::collectives {

enum class Operation : std::uint8_t { all_sum = 1, all_gather, barrier };

struct Call {
  Operation operation{};
  Dtype dtype = Dtype::uint8;
  std::size_t count = 0;

  std::string text() const;  // "all_sum of 10 float32"
};

class Collectives {
public:
  explicit Collectives(Mesh mesh) : mesh_(std::move(mesh)) {}

  int rank() const { return mesh_.rank(); }
  int size() const { return mesh_.size(); }

  /// Each throws Error. Except for invalid_argument, every later call then throws the same reason.
  void all_sum(const void* in, void* out, std::size_t count, Dtype dtype, std::chrono::milliseconds timeout);
  void all_gather(const void* in, void* out, std::size_t count, Dtype dtype,
                  std::chrono::milliseconds timeout);
  void barrier(std::chrono::milliseconds timeout);
  void leave() { mesh_.say_goodbye(); }

private:
  template <class Body>
  void run(const Call& call, std::chrono::milliseconds timeout, Body body);

  Mesh mesh_;
  std::uint64_t calls_ = 0;
  std::optional<Error> ended_;
};

}  // namespace jackal::collectives
