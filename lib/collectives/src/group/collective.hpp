// The operations over TCP: everybody talks to everybody directly.
//
// Every call starts with a header to each peer, which says what this rank is calling; no payload is used
// before the peer's header has been found to agree.
#pragma once

#include <optional>

#include "control/mesh.hpp"
#include "group/call.hpp"
#include "schedules/executor.hpp"
#include "transports/tcp/connect.hpp"

namespace jackal::collectives {

class Collectives {
public:
  Collectives(Mesh mesh, std::vector<TcpLanes> lanes);

  int rank() const { return mesh_.rank(); }
  int size() const { return mesh_.size(); }

  /// Each throws Error. Except for invalid_argument, every later call then throws the same reason.
  void all_sum(const void* in, void* out, std::size_t count, Dtype dtype, std::chrono::milliseconds timeout);
  void all_gather(const void* in, void* out, std::size_t count, Dtype dtype,
                  std::chrono::milliseconds timeout);
  void barrier(std::chrono::milliseconds timeout);
  void leave() { mesh_.say_goodbye(); }

private:
  void run(const Call& call, const Program& program, const Memory& memory, std::chrono::milliseconds timeout);

  Mesh mesh_;
  std::vector<TcpLanes> lanes_;
  Executor executor_;
  std::uint64_t calls_ = 0;
  std::optional<Error> ended_;
};

}  // namespace jackal::collectives
