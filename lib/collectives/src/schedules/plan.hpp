// A program as the executor walks it: what each step waits for, what waits for it, and the transfers of each
// peer in order. Made once per program, used for many calls.
#pragma once

#include <vector>

#include "schedules/schedule.hpp"

namespace jackal::collectives {

struct Plan {
  explicit Plan(const Program& from);

  /// Transfers of one direction with one peer: numbers of steps, in program order.
  struct Flow {
    int peer = -1;
    std::vector<int> steps;
  };

  Program program;
  std::vector<int> blockers;                 // how many steps each one waits for
  std::vector<std::vector<int>> dependants;  // which wait for it
  std::vector<Flow> sends;
  std::vector<Flow> receives;
  std::vector<std::size_t> flow_of;  // of a transfer: its place in `sends` or `receives`
};

inline bool is_send(const Step& step) { return step.kind == Step::Kind::send; }
inline bool is_receive(const Step& step) {
  return step.kind == Step::Kind::receive || step.kind == Step::Kind::receive_reduce ||
         step.kind == Step::Kind::reduce_receive;
}
/// The piece that travels.
inline const Piece& travels(const Step& step) { return is_send(step) ? step.a : step.to; }

}  // namespace jackal::collectives
